//! Baidu AI Cloud, bce-auth-v1: only the host is signed.

use jiff::Timestamp;

use crate::{secret::Secret, wire::Request};

use super::{Parts, extended, hex, hmac_sha256};

/// How long a signature is good, in seconds.
const GOOD_SECONDS: u32 = 1800;

/// Signs a request, whose URL may not change any more.
pub(crate) fn sign(request: Request, id: &str, key: &Secret, now: Timestamp) -> Request {
    let prefix = format!("bce-auth-v1/{id}/{}/{GOOD_SECONDS}", extended(now));
    let derived = hex(&hmac_sha256(key.reveal().as_bytes(), &prefix));
    let parts = Parts::of(&request.url);
    let method = request.method.as_str();
    // A port is part of the header, and its colon is encoded.
    let host = super::super::answer::encoded(parts.host);
    let canonical = format!("{method}\n{}\n{}\nhost:{host}", parts.path, parts.query);
    let signature = hex(&hmac_sha256(derived.as_bytes(), &canonical));
    request.header("authorization", format!("{prefix}/host/{signature}"))
}

#[cfg(test)]
mod tests {
    use crate::wire::Method;

    use super::*;

    #[test]
    fn the_vector_comes_out() {
        let url = "https://bcd.baidubce.com/v1/domain/resolve/list";
        let key = Secret::from("SKtest".to_owned());
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let signed = sign(Request::new(Method::Post, url), "AKtest", &key, now);
        let expected = "bce-auth-v1/AKtest/2023-11-14T22:13:20Z/1800/host/\
            82597f46b95938557ca37a8602c2d1cbe9211aeff70d9efaf752850ef13fe12e";
        assert_eq!(signed.headers, [("authorization".to_owned(), expected.to_owned())]);
    }
}
