//! The double over the wire: hand-made requests as the AWS SDKs send them (rpc-v2-cbor and awsQuery).

use aws_double::{
    Double, Fault, FaultKind, InsightsSeries, Instance, Parameter, ParameterGroup, Running, Series, SeriesStatus,
    Service,
};
use ciborium::Value;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    fn cbor(&self) -> Value {
        ciborium::from_reader(self.body.as_slice()).expect("CBOR")
    }
}

/// One request on a connection of its own; `Err` when the connection broke.
async fn post(running: &Running, path: &str, headers: &str, body: &[u8]) -> std::io::Result<Reply> {
    let address = running.endpoint().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await?;
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).expect("UTF-8");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Ok(Reply { status, head, body: bytes[end + 4..].to_vec() })
}

async fn form(running: &Running, body: &str) -> Reply {
    post(running, "/", "content-type: application/x-www-form-urlencoded\r\n", body.as_bytes()).await.expect("a reply")
}

fn map(members: Vec<(&str, Value)>) -> Value {
    Value::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn instant(seconds: i64) -> Value {
    Value::Tag(1, Box::new(Value::Float(seconds as f64)))
}

fn query(id: &str, instance: &str, metric: &str) -> Value {
    let dimension = map(vec![("Name", "DBInstanceIdentifier".into()), ("Value", instance.into())]);
    let metric = map(vec![
        ("Namespace", "AWS/RDS".into()),
        ("MetricName", metric.into()),
        ("Dimensions", vec![dimension].into()),
    ]);
    let stat = map(vec![("Metric", metric), ("Period", 60.into()), ("Stat", "Maximum".into())]);
    map(vec![("Id", id.into()), ("MetricStat", stat)])
}

fn input(queries: Vec<Value>, more: Vec<(&str, Value)>) -> Value {
    let base = vec![
        ("MetricDataQueries", queries.into()),
        ("StartTime", instant(0)),
        ("EndTime", instant(300)),
        ("ScanBy", "TimestampAscending".into()),
    ];
    map(base.into_iter().chain(more).collect())
}

const CBOR: &str = "content-type: application/cbor\r\nsmithy-protocol: rpc-v2-cbor\r\nx-amzn-query-mode: true\r\n";
const GET_METRIC_DATA: &str = "/service/GraniteServiceVersion20100801/operation/GetMetricData";

async fn metric_data(running: &Running, input: &Value) -> Reply {
    let mut body = Vec::new();
    ciborium::into_writer(input, &mut body).expect("CBOR");
    post(running, GET_METRIC_DATA, CBOR, &body).await.expect("a reply")
}

fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    let found = value.as_map().and_then(|map| map.iter().find(|(key, _)| key.as_text() == Some(name)));
    &found.unwrap_or_else(|| panic!("{name} is missing in {value:?}")).1
}

/// Of each series: Id, StatusCode, values.
fn figures(answer: &Value) -> Vec<(String, String, Vec<f64>)> {
    let series = member(answer, "MetricDataResults").as_array().expect("a list").iter();
    series
        .map(|series| {
            let text = |name| member(series, name).as_text().expect("a text").to_owned();
            let values = member(series, "Values").as_array().expect("a list").iter();
            (text("Id"), text("StatusCode"), values.map(|value| value.as_float().expect("a float")).collect())
        })
        .collect()
}

async fn five_minutes() -> Running {
    let double = Double::new();
    double.script(|state| {
        state.instances.push(Instance::postgres("db"));
        state.series.push(Series::of("db", "CPUUtilization", (0..5).map(|minute| (minute * 60, minute as f64))));
        state.series.push(Series::of("db", "DatabaseConnections", [(0, 7.0)]));
    });
    double.start().await.expect("a port")
}

#[tokio::test]
async fn points_come_with_tagged_timestamps_and_float_values() {
    let running = five_minutes().await;
    let reply = metric_data(&running, &input(vec![query("cpu", "db", "CPUUtilization")], vec![])).await;
    assert_eq!(reply.status, 200);
    assert!(reply.head.contains("smithy-protocol: rpc-v2-cbor"), "{}", reply.head);
    let answer = reply.cbor();
    assert_eq!(figures(&answer), [("cpu".to_owned(), "Complete".to_owned(), vec![0.0, 1.0, 2.0, 3.0, 4.0])]);
    let series = &member(&answer, "MetricDataResults").as_array().expect("a list")[0];
    assert_eq!(member(series, "Timestamps").as_array().expect("a list")[1], instant(60));
}

#[tokio::test]
async fn an_unknown_instance_is_empty_and_complete_in_cloudwatch_and_not_found_in_rds() {
    let running = five_minutes().await;
    let answer = metric_data(&running, &input(vec![query("cpu", "other", "CPUUtilization")], vec![])).await.cbor();
    assert_eq!(figures(&answer), [("cpu".to_owned(), "Complete".to_owned(), vec![])]);
    let reply = form(&running, "Action=DescribeDBInstances&Version=2014-10-31&DBInstanceIdentifier=other").await;
    assert_eq!(reply.status, 404);
    assert!(reply.text().contains("<Code>DBInstanceNotFound</Code>"), "{}", reply.text());
}

#[tokio::test]
async fn pages_hold_so_many_points_of_all_series_and_the_last_one_is_complete() {
    let running = five_minutes().await;
    let queries = || vec![query("cpu", "db", "CPUUtilization"), query("connections", "db", "DatabaseConnections")];
    let (mut pages, mut values, mut token) = (Vec::new(), Vec::new(), None);
    loop {
        let more = vec![("MaxDatapoints", Value::from(2))];
        let more = more.into_iter().chain(token.map(|token| ("NextToken", token))).collect();
        let answer = metric_data(&running, &input(queries(), more)).await.cbor();
        let page = figures(&answer);
        pages.push(page.iter().map(|(_, status, _)| status.clone()).collect::<Vec<_>>());
        values.extend(page.into_iter().flat_map(|(_, _, values)| values));
        token = answer
            .as_map()
            .expect("a map")
            .iter()
            .find(|(key, _)| key.as_text() == Some("NextToken"))
            .map(|(_, token)| token.clone());
        if token.is_none() {
            break;
        }
    }
    assert_eq!(values, [0.0, 1.0, 2.0, 3.0, 4.0, 7.0]);
    assert_eq!(pages, [["PartialData"; 2], ["PartialData"; 2], ["Complete"; 2]]);
}

#[tokio::test]
async fn a_token_of_another_request_is_refused() {
    let running = five_minutes().await;
    let more = vec![("NextToken", "0123456789abcdef-2".into())];
    let reply = metric_data(&running, &input(vec![query("cpu", "db", "CPUUtilization")], more)).await;
    assert_eq!(reply.status, 400);
    assert!(reply.head.contains("x-amzn-query-error: InvalidNextToken;Sender"), "{}", reply.head);
}

#[tokio::test]
async fn one_series_is_forbidden_while_the_call_succeeds() {
    let running = five_minutes().await;
    running.double().script(|state| {
        state.series_mut("db", "CPUUtilization").status = SeriesStatus::Forbidden;
        state.messages.push(("ArithmeticError".to_owned(), "a message".to_owned()));
    });
    let queries = vec![query("cpu", "db", "CPUUtilization"), query("connections", "db", "DatabaseConnections")];
    let answer = metric_data(&running, &input(queries, vec![])).await.cbor();
    let figures = figures(&answer);
    assert_eq!((figures[0].1.as_str(), figures[0].2.len()), ("Forbidden", 0));
    assert_eq!((figures[1].1.as_str(), figures[1].2.len()), ("Complete", 1));
    assert_eq!(member(&answer, "Messages").as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_scripted_error_comes_so_many_times_in_the_protocol_of_the_service() {
    let running = five_minutes().await;
    running.double().script(|state| {
        let throttled = FaultKind::error("Throttling", 400, "Rate exceeded");
        state.faults.push(Fault::new(throttled).times(2));
    });
    let reply = metric_data(&running, &input(vec![query("cpu", "db", "CPUUtilization")], vec![])).await;
    assert_eq!(
        (reply.status, member(&reply.cbor(), "__type").as_text()),
        (400, Some("com.amazonaws.cloudwatch#Throttling"))
    );
    assert!(reply.head.contains("x-amzn-query-error: Throttling;Sender"), "{}", reply.head);
    let reply = form(&running, "Action=DescribeDBInstances&Version=2014-10-31").await;
    assert!(reply.text().contains("<Code>Throttling</Code>"), "{}", reply.text());
    assert_eq!(form(&running, "Action=DescribeDBInstances&Version=2014-10-31").await.status, 200);
    let statuses: Vec<_> = running.double().calls().iter().map(|call| (call.service, call.status)).collect();
    assert_eq!(statuses, [(Service::CloudWatch, Some(400)), (Service::Rds, Some(400)), (Service::Rds, Some(200))]);
}

#[tokio::test]
async fn a_reset_breaks_the_connection_and_the_next_call_succeeds() {
    let running = five_minutes().await;
    running.double().script(|state| state.faults.push(Fault::new(FaultKind::Reset).times(1)));
    let broken = post(&running, "/", "", b"Action=DescribeDBInstances").await;
    assert_eq!(broken.err().map(|error| error.kind()), Some(std::io::ErrorKind::ConnectionReset));
    assert_eq!(form(&running, "Action=DescribeDBInstances").await.status, 200);
}

#[tokio::test]
async fn bodies_are_cut_or_html_as_scripted() {
    let running = five_minutes().await;
    running.double().script(|state| {
        state.faults.push(Fault::new(FaultKind::Truncate(20)).times(1));
        state.faults.push(Fault::new(FaultKind::Html(502)).times(1));
    });
    let reply = form(&running, "Action=DescribeDBInstances").await;
    assert_eq!((reply.status, reply.body.len()), (200, 20));
    let reply = form(&running, "Action=DescribeDBInstances").await;
    assert!(reply.status == 502 && reply.text().starts_with("<html>"), "{}", reply.text());
}

#[tokio::test]
async fn a_skewed_clock_refuses_the_signature_and_says_its_time_in_the_date_header() {
    let running = five_minutes().await;
    running.double().script(|state| state.clock_skew_seconds = 600);
    let signed = |at: Timestamp| {
        let date = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        format!(
            "authorization: AWS4-HMAC-SHA256 Credential=AKID/x/us-east-1/rds/aws4_request, Signature=0\r\nx-amz-date: {date}\r\n"
        )
    };
    let now = Timestamp::now();
    let reply = post(&running, "/", &signed(now), b"Action=DescribeDBInstances").await.expect("a reply");
    assert!(reply.status == 403 && reply.text().contains("RequestTimeTooSkewed"), "{}", reply.text());
    let later = Timestamp::from_second(now.as_second() + 600).expect("an instant");
    let date = reply.head.lines().find_map(|line| line.strip_prefix("date: ")).expect("a date");
    let date = jiff::fmt::rfc2822::parse(date).expect("an RFC 2822 date").timestamp();
    assert!(date.as_second() >= later.as_second(), "{date}");
    let reply = post(&running, "/", &signed(later), b"Action=DescribeDBInstances").await.expect("a reply");
    assert_eq!(reply.status, 200);
    let signer = running.double().calls()[1].signed_by.clone();
    assert_eq!(signer, Some(("AKID".to_owned(), "us-east-1".to_owned())));
}

#[tokio::test]
async fn parameters_come_by_pages_and_by_source() {
    let running = five_minutes().await;
    running.double().script(|state| {
        let mut parameters: Vec<_> = (0..30).map(|n| Parameter::new(&format!("p{n:02}"), "1", "system")).collect();
        parameters.push(Parameter::new("max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)", "user"));
        state.parameter_groups.push(ParameterGroup { name: "pg16".to_owned(), parameters });
    });
    let ask = "Action=DescribeDBParameters&DBParameterGroupName=pg16&MaxRecords=20";
    let first = form(&running, ask).await.text();
    assert!(first.contains("<Marker>20</Marker>") && !first.contains("max_connections"), "{first}");
    let second = form(&running, &format!("{ask}&Marker=20")).await.text();
    assert!(!second.contains("<Marker>") && second.contains("LEAST({DBInstanceClassMemory/9531392},5000)"), "{second}");
    let users = form(&running, &format!("{ask}&Source=user")).await.text();
    assert_eq!(users.matches("<Parameter>").count(), 1);
}

#[tokio::test]
async fn web_identity_gives_credentials_and_an_empty_token_none() {
    let running = five_minutes().await;
    let ask = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn:aws:iam::0:role/r&RoleSessionName=s";
    let reply = form(&running, &format!("{ask}&WebIdentityToken=token")).await;
    assert!(reply.status == 200 && reply.text().contains("<SessionToken>"), "{}", reply.text());
    let reply = form(&running, ask).await;
    assert!(reply.status == 400 && reply.text().contains("<Code>InvalidIdentityToken</Code>"), "{}", reply.text());
}

#[tokio::test]
async fn insights_points_carry_the_end_of_their_period_and_need_insights_to_be_on() {
    let running = five_minutes().await;
    running.double().script(|state| {
        let points = vec![(60, Some(1.5)), (120, None), (600, Some(9.0))];
        let total = InsightsSeries {
            resource_id: "db-DB".to_owned(),
            metric: "db.load.avg".to_owned(),
            dimension: None,
            points,
        };
        state.insights.push(total);
    });
    let query = map(vec![("Metric", "db.load.avg".into())]);
    let input = map(vec![
        ("ServiceType", "RDS".into()),
        ("Identifier", "db-DB".into()),
        ("MetricQueries", vec![query].into()),
        ("StartTime", instant(0)),
        ("EndTime", instant(300)),
        ("PeriodInSeconds", 60.into()),
    ]);
    let mut body = Vec::new();
    ciborium::into_writer(&input, &mut body).expect("CBOR");
    let path = "/service/PerformanceInsightsv20180227/operation/GetResourceMetrics";
    let reply = post(&running, path, CBOR, &body).await.expect("a reply");
    assert_eq!(member(&reply.cbor(), "__type").as_text(), Some("com.amazonaws.pi#NotAuthorizedException"));
    running.double().script(|state| state.instances[0].insights_enabled = true);
    let answer = post(&running, path, CBOR, &body).await.expect("a reply").cbor();
    let points = member(&member(&answer, "MetricList").as_array().expect("a list")[0], "DataPoints");
    let with_data = map(vec![("Timestamp", instant(60)), ("Value", Value::Float(1.5))]);
    assert_eq!(*points, vec![with_data, map(vec![("Timestamp", instant(120))])].into());
}
