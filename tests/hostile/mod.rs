//! URLs that a manifest must not get load or a question sent to, and who refuses each: the one table for admission, `loadtest
//! validate`, the controller and the pods.

#![allow(dead_code)] // each test program uses its own part

/// The test's own namespace; `web` is a Service in it.
pub const NAMESPACE: &str = "perf";
/// Where the Kubernetes API is, as far as pods know.
pub const API_SERVER: &str = "10.96.0.1";

/// Who refuses a URL. Each place is asked as if the ones before it had let it pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The resource definition's rules, in the API server and in `loadtest validate`.
    pub admission: bool,
    /// The operator, when its configuration allows no further host.
    pub controller: bool,
    /// The generator, whatever the operator allowed.
    pub pod: bool,
}

const fn by(admission: bool, controller: bool, pod: bool) -> Refused {
    Refused { admission, controller, pod }
}

/// All three, without a look at where it leads.
const ALL: Refused = by(true, true, true);
/// What is no host name; admission asks for plain ASCII. The rest of the URL leads to a Service of the namespace.
const ADMISSION: Refused = by(true, false, false);
/// Another host: allowed only by the operator's configuration.
const HOST: Refused = by(false, true, false);
/// The same, and an address that pods never ask.
const ADDRESS: Refused = by(false, true, true);

/// The table.
pub const URLS: &[(&str, Refused)] = &[
    // Credentials before the host.
    ("http://user:password@web/", ALL),
    ("http://user@web/", ALL),
    ("http://web@169.254.169.254/", ALL),
    ("http://:password@web/", ALL),
    ("http://@web/", ADMISSION),
    // Another scheme, or none.
    ("ftp://web/", ALL),
    ("file:///etc/passwd", ALL),
    ("gopher://web/", ALL),
    ("//web/", ALL),
    ("web", ALL),
    ("", ALL),
    ("HTTP://web/", ADMISSION),
    ("http:web/", by(true, false, true)),
    ("http:/web/", by(true, false, true)),
    ("http:///169.254.169.254/", ALL),
    ("http://", ALL),
    ("http://:80/", by(false, true, true)),
    // Variables before the path.
    ("http://$(vars.host)/", by(true, true, false)),
    ("http://web$(vars.rest)/", by(true, true, false)),
    ("http://web:$(vars.port)/", ALL),
    ("$(vars.url)", ALL),
    // What one parser takes for the host and another doesn't.
    (r"http://web\@169.254.169.254/", ADMISSION),
    (r"http://169.254.169.254\@web/", ALL),
    ("http://web#@169.254.169.254/", ADMISSION),
    ("http://169.254.169.254#@web/", ALL),
    ("http://169.254.169.254?@web/", ALL),
    ("http://we\tb/", ADMISSION),
    ("http://web\n/", ADMISSION),
    (" http://web/", ADMISSION),
    ("http://web /", ALL),
    ("http://web/#part", ADMISSION),
    ("http://web%2eother/", by(true, true, false)),
    ("http://%31%36%39.254.169.254/", ALL),
    ("http://[::1", ADDRESS),
    ("http://[::1]x/", ADDRESS),
    // Ports that are none.
    ("http://web:65536/", ADDRESS),
    ("http://web:80:80/", ADDRESS),
    ("http://web:-1/", ADDRESS),
    ("http://web:http/", ADDRESS),
    // Letters that look like others, or become others.
    ("http://\u{ff57}eb/", ADMISSION),
    ("http://\u{ff11}69.254.169.254/", ALL),
    ("http://\u{2460}69.254.169.254/", ALL),
    ("http://web\u{3002}other/", by(true, true, false)),
    ("http://w\u{0435}b/", by(true, true, false)),
    ("http://xn--e1awd7f.com/", HOST),
    // The pod itself.
    ("http://localhost/", ADDRESS),
    ("http://LOCALHOST./", ADDRESS),
    ("http://127.0.0.1:8080/", ADDRESS),
    ("http://127.1/", ADDRESS),
    ("http://0177.0.0.1/", ADDRESS),
    ("http://0x7f.0.0.1/", ADDRESS),
    ("http://2130706433/", ADDRESS),
    ("http://0/", ADDRESS),
    ("http://0.0.0.0/", ADDRESS),
    ("http://[::]/", ADDRESS),
    ("http://[::1]/", ADDRESS),
    ("http://[0:0:0:0:0:0:0:1]/", ADDRESS),
    ("http://[::127.0.0.1]/", ADDRESS),
    ("http://[::ffff:127.0.0.1]/", ADDRESS),
    // The node's metadata, in all spellings.
    ("http://169.254.169.254/latest/meta-data/", ADDRESS),
    ("http://169.254.169.254./", ADDRESS),
    ("http://169.254.43518/", ADDRESS),
    ("http://0251.0376.0251.0376/", ADDRESS),
    ("http://0xa9fea9fe/", ADDRESS),
    ("http://0xa9.0xfe.0xa9.0xfe/", ADDRESS),
    ("http://2852039166/", ADDRESS),
    ("http://[::ffff:169.254.169.254]/", ADDRESS),
    ("http://[::ffff:a9fe:a9fe]/", ADDRESS),
    ("http://[::ffff:0:a9fe:a9fe]/", ADDRESS),
    ("http://[64:ff9b::a9fe:a9fe]/", ADDRESS),
    ("http://[64:ff9b:1::a9fe:a9fe]/", ADDRESS),
    ("http://[2002:a9fe:a9fe::]/", ADDRESS),
    ("http://[fe80::a9fe:a9fe]/", ADDRESS),
    ("http://[fe80::1%25eth0]/", ALL),
    ("http://[fd00:ec2::254]/", ADDRESS),
    ("http://[fd00:ec2::23]/", ADDRESS),
    ("http://[fd20:ce::254]/", ADDRESS),
    ("http://169.254.170.2/v2/credentials/", ADDRESS),
    ("http://169.254.170.23/v1/credentials", ADDRESS),
    ("http://168.63.129.16/", ADDRESS),
    ("http://100.100.100.200/", ADDRESS),
    ("http://192.0.0.192/", ADDRESS),
    ("http://metadata.google.internal/", HOST),
    ("http://169.254.169.254.nip.io/", HOST),
    // The Kubernetes API.
    ("https://10.96.0.1/", ADDRESS),
    ("https://[::ffff:10.96.0.1]/", ADDRESS),
    ("https://kubernetes.default/", HOST),
    ("https://kubernetes.default.svc/api", HOST),
    ("https://kubernetes.default.svc.cluster.local./", HOST),
    // Many at once.
    ("http://224.0.0.1/", ADDRESS),
    ("http://255.255.255.255/", ADDRESS),
    ("http://[ff02::1]/", ADDRESS),
    // Other namespaces, and names that only begin like a Service.
    ("http://web.other/", HOST),
    ("http://web.other.svc:8080/", HOST),
    ("http://web.other.svc.cluster.local/", HOST),
    ("http://web.perf.svc.cluster.local.example.com/", HOST),
    ("http://web.perf.example.com/", HOST),
    ("http://web..perf/", HOST),
    ("http://.web/", HOST),
    ("http://web.perf.other.svc/", HOST),
    ("http://10.0.0.7/", HOST),
    ("http://[fd00:10:96::5]/", HOST),
    ("http://example.com/", HOST),
];

/// A Service of the namespace, by all its names; accepted by all.
pub const HARMLESS: &[&str] = &[
    "http://web",
    "http://web/",
    "http://web:8080/a?b=c",
    "https://web.perf/",
    "http://web.perf.svc/",
    "http://web.perf.svc.cluster.local:80/",
    "http://web.perf.svc.cluster.local./",
];
