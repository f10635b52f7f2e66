use std::fmt::Write as _;

use super::*;

/// What a client can tell of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// Status, body, whether the connection can be used again, bytes behind the answer.
    Answer(u16, String, bool, usize),
    /// The connection ended too early.
    Short,
    Malformed,
    /// It waits for more.
    Open,
}

const KEEP: Want = Want { head_only: false, body: Some(1 << 20), cookies: true, headers: false };

fn read(bytes: &[u8], pieces: &[usize], want: Want, memo: &mut Memo, closes: bool) -> Seen {
    let mut reader = Reader::new(want);
    let (mut from, mut piece) = (0, pieces.iter().cycle());
    while from < bytes.len() {
        let to = (from + (*piece.next().unwrap()).max(1)).min(bytes.len());
        match reader.feed(&bytes[from..to], memo) {
            Err(Malformed) => return Seen::Malformed,
            Ok(Some(behind)) => return answer(reader, behind + bytes.len() - to),
            Ok(None) => from = to,
        }
    }
    match (closes, closes.then(|| reader.close())) {
        (true, Some(Ok(Closed::Whole))) => answer(reader, 0),
        (true, Some(Ok(Closed::Short))) => Seen::Short,
        (true, _) => Seen::Malformed,
        (false, _) => Seen::Open,
    }
}

fn answer(mut reader: Reader, behind: usize) -> Seen {
    let keep_alive = reader.keep_alive();
    let reply = reader.take_reply();
    let Body::Kept(body) = reply.body else { panic!("{:?}", reply.body) };
    Seen::Answer(reply.status, String::from_utf8_lossy(&body).into_owned(), keep_alive, behind)
}

/// In one piece, in every size of pieces, and cut in two at every place; with and without a memory of the same head.
fn in_every_split(text: &str, want: Want, closes: bool) -> Seen {
    let bytes = text.as_bytes();
    let whole = read(bytes, &[bytes.len()], want, &mut Memo::default(), closes);
    let mut memo = Memo::default();
    for size in 1..=bytes.len() {
        assert_eq!(read(bytes, &[size], want, &mut memo, closes), whole, "in pieces of {size}: {text:?}");
        let two = [size, bytes.len()];
        assert_eq!(read(bytes, &two, want, &mut Memo::default(), closes), whole, "cut at {size}: {text:?}");
    }
    whole
}

fn good(status: u16, body: &str, keep_alive: bool, behind: usize) -> Seen {
    Seen::Answer(status, body.into(), keep_alive, behind)
}

fn ok(head: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}")
}

#[test]
fn a_body_ends_where_its_framing_says() {
    for (text, seen) in [
        (ok("content-length: 5", "hello"), good(200, "hello", true, 0)),
        (ok("Content-Length:5", "hello"), good(200, "hello", true, 0)),
        (ok("content-length: 0", ""), good(200, "", true, 0)),
        (ok("content-length: 5, 5\r\ncontent-length: 5", "hello"), good(200, "hello", true, 0)),
        (ok("transfer-encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"), good(200, "hello", true, 0)),
        (ok("Transfer-Encoding: gzip, Chunked", "00005\r\nhello\r\n000\r\n\r\n"), good(200, "hello", true, 0)),
        (
            ok("transfer-encoding: chunked", "2;a=\"b\"\r\nhe\r\n3 \t;c\r\nllo\r\n0;x\r\n\r\n"),
            good(200, "hello", true, 0),
        ),
        (
            ok("transfer-encoding: chunked", "A\r\n0123456789\r\n0\r\nx: y\r\nz: \r\n\r\n"),
            good(200, "0123456789", true, 0),
        ),
        // Both: chunks count, and the connection ends (RFC 9112, section 6.3).
        (ok("content-length: 99\r\ntransfer-encoding: chunked", "1\r\nx\r\n0\r\n\r\n"), good(200, "x", false, 0)),
        (ok("transfer-encoding: gzip", "all of it"), good(200, "all of it", false, 0)),
        (ok("x: y", "until the close"), good(200, "until the close", false, 0)),
        (ok("content-length: 2\r\nconnection: close", "{}"), good(200, "{}", false, 0)),
        (ok("content-length: 2\r\nConnection: upgrade, Close", "{}"), good(200, "{}", false, 0)),
        ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}".into(), good(200, "{}", false, 0)),
        ("HTTP/1.0 200 OK\r\ncontent-length: 2\r\nconnection: Keep-Alive\r\n\r\n{}".into(), good(200, "{}", true, 0)),
        ("HTTP/1.0 200 OK\r\n\r\nold".into(), good(200, "old", false, 0)),
        ("HTTP/1.1 200\ncontent-length: 2\n\n{}".into(), good(200, "{}", true, 0)),
        ("\r\n\r\nHTTP/1.1 200 \r\ncontent-length: 2\r\n\r\n{}".into(), good(200, "{}", true, 0)),
    ] {
        assert_eq!(in_every_split(&text, KEEP, true), seen, "{text:?}");
    }
}

#[test]
fn an_answer_without_a_body_has_none_whatever_its_head_says() {
    for text in ["204 No Content", "304 Not Modified"] {
        for head in ["content-length: 5", "transfer-encoding: chunked", "x: y"] {
            let text = format!("HTTP/1.1 {text}\r\n{head}\r\n\r\n");
            assert_eq!(in_every_split(&text, KEEP, false), good(text[9..12].parse().unwrap(), "", true, 0));
        }
    }
    let head = Want { head_only: true, ..KEEP };
    for text in [ok("content-length: 5", ""), ok("transfer-encoding: chunked", ""), ok("x: y", "")] {
        assert_eq!(in_every_split(&text, head, false), good(200, "", true, 0));
    }
}

#[test]
fn interim_answers_are_passed_over_and_101_is_the_last_one() {
    let chain = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n";
    let text = format!("{chain}{}", ok("content-length: 2", "{}"));
    assert_eq!(in_every_split(&text, KEEP, false), good(200, "{}", true, 0));
    assert_eq!(in_every_split(chain, KEEP, true), Seen::Short);
    let switched = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n";
    assert_eq!(in_every_split(switched, KEEP, false), good(101, "", false, 0));
}

#[test]
fn what_stands_behind_an_answer_is_told_and_not_read() {
    let again = ok("content-length: 1", "b");
    for first in [ok("content-length: 1", "a"), ok("transfer-encoding: chunked", "1\r\na\r\n0\r\n\r\n")] {
        assert_eq!(in_every_split(&format!("{first}{again}"), KEEP, false), good(200, "a", true, again.len()));
    }
}

#[test]
fn an_early_end_is_no_answer() {
    for text in [
        String::new(),
        "HTTP/1.1 200 OK\r\ncontent-le".into(),
        ok("content-length: 10", "half"),
        ok("transfer-encoding: chunked", "5\r\nhel"),
        ok("transfer-encoding: chunked", "5\r\nhello\r\n"),
        ok("transfer-encoding: chunked", "5\r\nhello\r\n0\r\n"),
        ok("transfer-encoding: chunked", "5\r\nhello\r\n0\r\nx: y\r\n\r"),
    ] {
        assert_eq!(in_every_split(&text, KEEP, true), Seen::Short, "{text:?}");
        assert_eq!(in_every_split(&text, KEEP, false), Seen::Open, "{text:?}");
    }
}

#[test]
fn what_contradicts_itself_or_is_no_http_is_malformed() {
    for text in [
        "hello\r\n\r\n".to_string(),
        "SSH-2.0-OpenSSH_9.2\r\n".into(),
        "HTTP/2.0 200 OK\r\n\r\n".into(),
        "HTTP/1.1 2x0 OK\r\n\r\n".into(),
        "HTTP/1.1 099 OK\r\n\r\n".into(),
        "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{16}".into(),
        ok("content-length: 5\r\ncontent-length: 6", "hello"),
        ok("content-length: 5, 6", "hello"),
        ok("content-length: 5,", "hello"),
        ok("content-length: +5", "hello"),
        ok("content-length: -1", "hello"),
        ok("content-length: 0x5", "hello"),
        ok("content-length: ", "hello"),
        ok("content-length: 18446744073709551616", "hello"),
        ok("content length: 5", "hello"),
        ok("x: a\r\n folded", "hello"),
        ok("transfer-encoding: chunked", "hello\r\n"),
        ok("transfer-encoding: chunked", "\r\n"),
        ok("transfer-encoding: chunked", "-1\r\n"),
        ok("transfer-encoding: chunked", "10000000000000000\r\n"),
        ok("transfer-encoding: chunked", "5;a\nhello\r\n0\r\n\r\n"),
        ok("transfer-encoding: chunked", "5\nhello\r\n0\r\n\r\n"),
        ok("transfer-encoding: chunked", "5\r\nhelloX\r\n0\r\n\r\n"),
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".into(),
    ] {
        assert_eq!(in_every_split(&text, KEEP, true), Seen::Malformed, "{text:?}");
    }
}

/// A peer that never comes to an end: memory has one.
#[test]
fn heads_trailers_and_extensions_have_their_limits() {
    let long = |begin: &str, more: &str| {
        let mut text = begin.to_string();
        while text.len() < 3 * MOST_HEAD {
            text.push_str(more);
        }
        text
    };
    let lines = (0..200).fold(String::new(), |mut all, n| write!(all, "x-{n}: y\r\n").map(|()| all).unwrap());
    for text in [
        long("HTTP/1.1 200 OK\r\nx: ", "y"),
        long("HTTP/1.1 200 ", "y"),
        long("\r\n", "\r\n"),
        format!("HTTP/1.1 200 OK\r\n{lines}\r\n"),
        long(&ok("transfer-encoding: chunked", "0\r\nx: "), "y"),
        long(&ok("transfer-encoding: chunked", "0\r\n"), "x: y\r\n"),
        long(&ok("transfer-encoding: chunked", "1;"), "y"),
        long(&ok("transfer-encoding: chunked", "1"), " "),
        long(&ok("transfer-encoding: chunked", "1;yyyyyyyyyyyyyyyyyyyy\r\nx\r\n"), "1;yyyyyyyyyyyyyyyyyyyy\r\nx\r\n"),
    ] {
        for pieces in [vec![text.len()], vec![1000], vec![1, 70_000]] {
            let seen = read(text.as_bytes(), &pieces, KEEP, &mut Memo::default(), false);
            assert_eq!(seen, Seen::Malformed, "{pieces:?} {:?}", &text[..60]);
        }
    }
}

#[test]
fn a_body_over_its_limit_is_read_to_its_end_and_forgotten() {
    for (most, kept) in [(None, Body::Dropped), (Some(4), Body::TooLarge), (Some(5), Body::Kept("hello".into()))] {
        for text in
            [ok("content-length: 5", "hello"), ok("transfer-encoding: chunked", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")]
        {
            let mut reader = Reader::new(Want { body: most, ..Want::default() });
            assert_eq!(reader.feed(text.as_bytes(), &mut Memo::default()), Ok(Some(0)));
            assert_eq!(reader.take_reply().body, kept);
        }
    }
}

#[test]
fn cookies_are_kept_when_they_are_wanted_also_from_a_remembered_head() {
    let text = ok("set-cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\ncontent-length: 0", "");
    let mut memo = Memo::default();
    for _ in 0..2 {
        let mut reader = Reader::new(KEEP);
        assert_eq!(reader.feed(text.as_bytes(), &mut memo), Ok(Some(0)));
        assert_eq!(reader.take_reply().cookies(), ["a=1; Path=/".to_string(), "b=2".into()]);
    }
    let mut reader = Reader::new(Want::default());
    assert_eq!(reader.feed(text.as_bytes(), &mut Memo::default()), Ok(Some(0)));
    assert_eq!(reader.take_reply().fields, None);
}

#[test]
fn a_remembered_head_is_not_taken_for_a_longer_or_another_one() {
    let mut memo = Memo::default();
    for (text, status, body) in [
        (ok("content-length: 1", "a"), 200, "a"),
        (ok("content-length: 1", "b"), 200, "b"),
        (ok("content-length: 10", "0123456789"), 200, "0123456789"),
        (ok("content-length: 1", "c"), 200, "c"),
        ("HTTP/1.1 500 OK\r\ncontent-length: 1\r\n\r\nd".into(), 500, "d"),
        (ok("content-length: 1\r\nx: y", "e"), 200, "e"),
    ] {
        assert_eq!(read(text.as_bytes(), &[1000], KEEP, &mut memo, false), good(status, body, true, 0));
    }
}
