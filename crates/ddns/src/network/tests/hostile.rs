//! Servers that mean harm: none of them costs more than its time and a little room.

use tokio::io::AsyncWriteExt as _;

use super::*;

/// Returns how a server is given up that begins so, and then goes on so for ever, now and then.
async fn told_of(begin: &'static str, more: &'static str, pause: Duration) -> NetworkError {
    let server = Fake::with(move |mut stream, _| async move {
        fakes::hear(&mut stream).await.unwrap();
        let more = if pause.is_zero() { more.repeat(4096) } else { more.to_owned() };
        let mut sent = stream.write_all(begin.as_bytes()).await;
        let mut drip = (!pause.is_zero()).then(|| time::interval(pause));
        while sent.is_ok() {
            if let Some(drip) = &mut drip {
                drip.tick().await;
            }
            sent = stream.write_all(more.as_bytes()).await;
        }
    })
    .await;
    // A flood ends by its size, however long a busy machine takes to read so much.
    let within = if pause.is_zero() { 5 * PATIENCE } else { Duration::from_millis(200) };
    let request = Request { within, ..get(server.url("/update?token=hunter2")) };
    let error = direct().http(request).await.unwrap_err();
    told(&error);
    server.gone(1).await;
    error
}

#[test]
fn an_answer_without_an_end_is_given_up_wherever_it_goes_on() {
    run(async {
        for (begin, more) in [
            ("HTTP/1.1 200 OK\r\n", "x: y\r\n"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", "x"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", "x: y\r\n"),
            ("", "x"),
        ] {
            let error = told_of(begin, more, Duration::ZERO).await;
            let is_given_up =
                matches!(error, NetworkError::Long { .. } | NetworkError::Broken { .. });
            assert!(is_given_up, "{begin:?} {more:?}: {error:?}");
        }
    });
}

#[test]
fn an_answer_that_drips_is_left_in_time() {
    run(async {
        let drop = Duration::from_millis(20);
        for (begin, more) in [
            // As many as anybody likes may come before an answer.
            ("", "HTTP/1.1 100 Continue\r\n\r\n"),
            ("HTTP/1.1 200 OK\r\nx: ", "y"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", "y"),
            ("HTTP/1.1 200 OK\r\n\r\n", "y"),
        ] {
            let error = told_of(begin, more, drop).await;
            assert!(matches!(error, NetworkError::Late { .. }), "{begin:?}: {error:?}");
        }
    });
}

#[test]
fn what_a_server_says_of_itself_is_no_header_of_ours() {
    run(async {
        let answer = "HTTP/1.1 200 OK\r\nx: a\u{1b}[2Jb\r\ncontent-length: 0\r\n\r\n";
        let server = Fake::answering(answer).await;
        match direct().http(get(server.url("/"))).await {
            Ok(response) => assert!(response.header("x").is_some()),
            Err(error) => assert!(matches!(error, NetworkError::Broken { .. }), "{error:?}"),
        }
        let forged = get(server.url("/")).header("x", "a\r\nauthorization: hunter2");
        let error = direct().http(forged).await.unwrap_err();
        assert!(matches!(error, NetworkError::Request { .. }), "{error:?}");
        assert_eq!(told(&error).lines().count(), 1);
    });
}
