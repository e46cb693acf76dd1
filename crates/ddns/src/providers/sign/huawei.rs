//! Huawei Cloud, SDK-HMAC-SHA256: the key itself signs, and the path ends in a slash.

use jiff::Timestamp;

use crate::{secret::Secret, wire::Request};

use super::{Parts, basic, hex, hmac_sha256, sha256_hex};

/// The headers that are signed.
const SIGNED: &str = "host;x-sdk-date";

/// Signs a request, whose body and URL may not change any more; its query must be in order.
pub(crate) fn sign(request: Request, id: &str, key: &Secret, now: Timestamp) -> Request {
    let date = basic(now);
    let parts = Parts::of(&request.url);
    let slash = if parts.path.ends_with('/') { "" } else { "/" };
    let canonical = format!(
        "{}\n{}{slash}\n{}\nhost:{}\nx-sdk-date:{date}\n\n{SIGNED}\n{}",
        request.method.as_str(),
        parts.path,
        parts.query,
        parts.host,
        sha256_hex(&request.body)
    );
    let text = format!("SDK-HMAC-SHA256\n{date}\n{}", sha256_hex(canonical.as_bytes()));
    let signature = hex(&hmac_sha256(key.reveal().as_bytes(), &text));
    let authorization =
        format!("SDK-HMAC-SHA256 Access={id}, SignedHeaders={SIGNED}, Signature={signature}");
    request.header("x-sdk-date", date).header("authorization", authorization)
}

#[cfg(test)]
mod tests {
    use crate::wire::Method;

    use super::*;

    #[test]
    fn the_vector_comes_out() {
        let url = "https://dns.myhuaweicloud.com/v2.1/recordsets?name=home.example.com&type=A";
        let key = Secret::from("SKtest".to_owned());
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let signed = sign(Request::new(Method::Get, url), "AKtest", &key, now);
        let expected = "SDK-HMAC-SHA256 Access=AKtest, SignedHeaders=host;x-sdk-date, \
            Signature=fbe25aac97e79df7c28f32f4b29ab613222c46f25e4ff0013d60deb2ecbfdbd3";
        let date = ("x-sdk-date".to_owned(), "20231114T221320Z".to_owned());
        assert_eq!(signed.headers, [date, ("authorization".to_owned(), expected.to_owned())]);
    }
}
