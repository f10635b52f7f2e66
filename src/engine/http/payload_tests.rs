use super::*;
use crate::engine::http::template::{Constants, Numbers, Template};
use crate::plan::PartInput;

fn payload(step: &StepInput, seed: u32) -> Payload {
    let constants = Constants::default();
    let bind = |_: &str, text: &str| Template::parse(text).unwrap().bind(&constants).map_err(|error| error.to_string());
    let read = |_: usize, file: &str| Ok(Arc::from(file.as_bytes()));
    Payload::new(step, (seed, 0), &bind, &read).unwrap().unwrap()
}

fn body(payload: &Payload, seq: u64, turn: u32) -> Vec<u8> {
    let fill = Fill { turn, ..Numbers { seq, client: 0 }.into() };
    let (mut tail, mut out) = (payload.tail(&fill), Vec::new());
    while tail.next(&mut out) {}
    assert_eq!(out.len() as u64, payload.length(&fill));
    out
}

fn random(least: u32, most: u32) -> StepInput {
    StepInput { random_body: Some((least, most)), ..StepInput::default() }
}

#[test]
fn a_random_body_has_a_size_between_its_bounds_and_is_the_same_for_the_same_seed() {
    let (one, same, other) =
        (payload(&random(128, 256), 1), payload(&random(128, 256), 1), payload(&random(128, 256), 2));
    let sizes: Vec<usize> = (0..200).map(|seq| body(&one, seq, 1).len()).collect();
    assert!(sizes.iter().all(|size| (128..=256).contains(size)));
    assert!(sizes.iter().any(|size| *size < 150) && sizes.iter().any(|size| *size > 234), "{sizes:?}");
    assert_eq!(body(&one, 7, 1), body(&same, 7, 1));
    for different in [body(&other, 7, 1), body(&one, 8, 1), body(&one, 7, 2)] {
        assert_ne!(body(&one, 7, 1), different);
    }
    assert_eq!(body(&payload(&random(0, 0), 1), 0, 1), b"");
}

fn part(name: &str, filename: Option<&str>, content: PartContent) -> PartInput {
    PartInput { name: name.into(), filename: filename.map(Into::into), content }
}

#[test]
fn a_form_is_these_bytes() {
    let upload = vec![
        part("type", None, PartContent::Text("t $(seq)".into())),
        part("files", Some("doc-$(seq)\".txt"), PartContent::Generated(5)),
        part("more", Some("more"), PartContent::File("a file".into())),
    ];
    let payload = payload(&StepInput { upload, ..StepInput::default() }, 1);
    let text = String::from_utf8(body(&payload, 3, 1)).unwrap();
    let generated = text.split("\r\n").nth(8).unwrap();
    assert_eq!(generated.len(), 5);
    let octets = "Content-Type: application/octet-stream\r\n\r\n";
    let expected = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\nt 3\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"doc-3%22.txt\"\r\n{octets}{generated}\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"more\"; filename=\"more\"\r\n{octets}a file\r\n--{BOUNDARY}--\r\n"
    );
    assert_eq!(text, expected);
    assert_eq!(payload.content_type.as_deref(), Some(format!("multipart/form-data; boundary={BOUNDARY}").as_str()));
}

#[test]
fn a_boundary_that_stands_in_a_file_is_not_used() {
    let upload = vec![part("f", Some("f"), PartContent::File(format!("x{BOUNDARY}")))];
    let payload = payload(&StepInput { upload, ..StepInput::default() }, 1);
    assert_eq!(payload.content_type.as_deref(), Some(format!("multipart/form-data; boundary={BOUNDARY}x").as_str()));
}

#[test]
fn a_large_body_comes_in_small_pieces() {
    let large = payload(&random(10 << 20, 10 << 20), 1);
    let mut tail = large.tail(&Fill::default());
    let (mut out, mut all) = (Vec::new(), 0);
    while tail.next(&mut out) {
        assert!(out.len() as u64 <= CHUNK);
        all += out.len();
        out.clear();
    }
    assert_eq!(all, 10 << 20);
}
