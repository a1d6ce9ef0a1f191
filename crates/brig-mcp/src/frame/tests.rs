//! Streams cut in every way, against the simplest program that does the same.

use super::*;
use proptest::prelude::*;

/// What came out of a framer, owned.
#[derive(Debug, PartialEq, Eq)]
enum Out {
    Line(Vec<u8>),
    Error(FrameError),
}

fn drain(framer: &mut Framer, out: &mut Vec<Out>) {
    loop {
        match framer.next() {
            Ok(Some(line)) => out.push(Out::Line(line.bytes().to_vec())),
            Ok(None) => return,
            Err(error) => out.push(Out::Error(error)),
        }
    }
}

fn run(framer: &mut Framer, pieces: &[&[u8]]) -> Vec<Out> {
    let mut out = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let space = framer.space();
            let n = rest.len().min(space.len());
            space[..n].copy_from_slice(&rest[..n]);
            framer.filled(n);
            rest = &rest[n..];
            drain(framer, &mut out);
        }
    }
    match framer.finish() {
        Ok(Some(line)) => out.push(Out::Line(line.bytes().to_vec())),
        Ok(None) => {}
        Err(error) => out.push(Out::Error(error)),
    }
    out
}

fn lines(out: &[Out]) -> Vec<&[u8]> {
    out.iter()
        .filter_map(|o| match o {
            Out::Line(bytes) => Some(bytes.as_slice()),
            Out::Error(_) => None,
        })
        .collect()
}

#[test]
fn lines_come_out_as_they_came_in() {
    let out = run(&mut Framer::new(), &[b"{\"a\":1}\n{}\r\n", b"[", b"]\n"]);
    assert_eq!(lines(&out), [&b"{\"a\":1}\n"[..], b"{}\r\n", b"[]\n"]);
}

#[test]
fn blank_lines_are_skipped_and_others_are_not() {
    let out = run(&mut Framer::new(), &[b"\n\r\n \t \nx\n\n"]);
    assert_eq!(lines(&out), [b"x\n"]);
}

#[test]
fn the_last_line_may_lack_its_end() {
    let out = run(&mut Framer::new(), &[b"a\nb"]);
    assert_eq!(lines(&out), [&b"a\n"[..], b"b"]);
    assert_eq!(run(&mut Framer::new(), &[b"a\n  "]).len(), 1);
}

#[test]
fn a_line_at_the_limit_passes_and_one_byte_more_does_not() {
    let mut exact = vec![b'x'; 99];
    exact.push(b'\n');
    let out = run(&mut Framer::with_limit(100), &[&exact]);
    assert_eq!(lines(&out).len(), 1);
    let mut over = vec![b'x'; 100];
    over.extend_from_slice(b"\nnext\n");
    let out = run(&mut Framer::with_limit(100), &[&over]);
    assert!(matches!(out[0], Out::Error(FrameError::TooLong { limit: 100, .. })), "{out:?}");
    assert_eq!(lines(&out), [b"next\n"]);
}

#[test]
fn a_flood_is_reported_at_once_thrown_away_and_followed_by_whole_lines() {
    let mut framer = Framer::with_limit(1000);
    let flood: Vec<u8> = [b"HEAD".to_vec(), vec![b'x'; 300_000]].concat();
    let out = run(&mut framer, &[&flood[..5000], &flood[5000..], b"TAIL\r\nnext\n"]);
    let Out::Error(FrameError::TooLong { head, .. }) = &out[0] else { panic!("{out:?}") };
    assert!(head.starts_with(b"HEAD") && head.len() <= SAMPLE);
    let Out::Error(FrameError::Resumed { bytes, tail }) = &out[1] else { panic!("{out:?}") };
    assert_eq!(*bytes, flood.len() as u64 + 6);
    assert!(tail.ends_with(b"TAIL") && tail.len() <= SAMPLE);
    assert_eq!(lines(&out), [b"next\n"]);
    assert!(framer.held() <= MIDDLE);
}

#[test]
fn a_flood_that_never_ends_is_reported_and_holds_little() {
    let mut framer = Framer::with_limit(2 * MIB);
    let out = run(&mut framer, &[&vec![b'x'; 9 * MIB]]);
    assert_eq!(out.len(), 2);
    assert!(matches!(out[1], Out::Error(FrameError::Resumed { bytes, .. }) if bytes == 9 * MIB as u64));
    assert!(framer.held() <= IDLE, "{}", framer.held());
}

#[test]
fn a_large_message_is_given_back_as_soon_as_the_next_is_asked_for() {
    let mut framer = Framer::new();
    let mut message = vec![b'x'; 3 * MIB];
    message.push(b'\n');
    let mut rest = message.as_slice();
    while !rest.is_empty() {
        let space = framer.space();
        let n = rest.len().min(space.len());
        space[..n].copy_from_slice(&rest[..n]);
        framer.filled(n);
        rest = &rest[n..];
    }
    assert_eq!(framer.next().unwrap().map(|line| line.bytes().len()), Some(message.len()));
    assert!(framer.held() > MIDDLE);
    assert_eq!(framer.next(), Ok(None));
    assert_eq!(framer.held(), IDLE);
}

#[test]
fn room_is_never_empty_even_when_lines_are_left_in() {
    let mut framer = Framer::with_limit(100);
    for _ in 0..3 * (100 + IDLE) / ROOM {
        let n = framer.space().len().min(ROOM);
        assert!(n > 0);
        framer.space()[..n].fill(b'\n');
        framer.filled(n);
    }
    assert_eq!(framer.next(), Ok(None));
}

/// The same cut by the simplest program that can do it.
fn naive(stream: &[u8]) -> Vec<&[u8]> {
    stream.split_inclusive(|b| *b == b'\n').filter(|l| !Line::new(l).is_blank()).collect()
}

proptest! {
    #[test]
    fn however_a_stream_is_cut_the_lines_are_the_same(
        stream in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), any::<u8>()], 0..400),
        cut in 0usize..400,
        second in 0usize..400,
    ) {
        let a = cut.min(stream.len());
        let b = (a + second).min(stream.len());
        let whole = run(&mut Framer::new(), &[&stream]);
        let cut = run(&mut Framer::new(), &[&stream[..a], &stream[a..b], &stream[b..]]);
        prop_assert_eq!(&whole, &cut);
        prop_assert_eq!(lines(&whole), naive(&stream));
    }

    #[test]
    fn lines_around_a_small_limit_are_cut_alike(
        lengths in proptest::collection::vec(1usize..40, 0..30),
        step in 1usize..50,
    ) {
        let stream: Vec<u8> = lengths.iter().flat_map(|n| vec![b'x'; *n].into_iter().chain([b'\n'])).collect();
        let pieces: Vec<&[u8]> = stream.chunks(step).collect();
        let out = run(&mut Framer::with_limit(20), &pieces);
        let short: Vec<&[u8]> = naive(&stream).into_iter().filter(|l| l.len() <= 20).collect();
        prop_assert_eq!(lines(&out), short);
        let long = out.iter().filter(|o| matches!(o, Out::Error(FrameError::TooLong { .. }))).count();
        prop_assert_eq!(long, lengths.iter().filter(|n| **n + 1 > 20).count());
    }
}
