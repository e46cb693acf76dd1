//! Tencent Cloud, TC3-HMAC-SHA256: a POST whose body is signed byte for byte.

use jiff::Timestamp;

use crate::{secret::Secret, wire::Request};

use super::{Parts, hex, hmac_sha256, sha256_hex};

/// The type of every body; it is signed.
const CONTENT_TYPE: &str = "application/json";
/// The headers that are signed.
const SIGNED: &str = "content-type;host";

/// Who signs.
#[derive(Debug)]
pub(crate) struct Signer {
    /// The key's identifier.
    pub(crate) id: String,
    /// The key.
    pub(crate) key: Secret,
    /// Which service is meant.
    pub(crate) service: &'static str,
}

impl Signer {
    /// Signs a POST, whose body and URL may not change any more.
    pub(crate) fn sign(&self, request: Request, now: Timestamp) -> Request {
        let seconds = now.as_second().to_string();
        let date = now.strftime("%Y-%m-%d").to_string();
        let scope = format!("{date}/{}/tc3_request", self.service);
        let parts = Parts::of(&request.url);
        let canonical = format!(
            "POST\n{}\n{}\ncontent-type:{CONTENT_TYPE}\nhost:{}\n\n{SIGNED}\n{}",
            parts.path,
            parts.query,
            parts.host,
            sha256_hex(&request.body)
        );
        let hash = sha256_hex(canonical.as_bytes());
        let text = format!("TC3-HMAC-SHA256\n{seconds}\n{scope}\n{hash}");
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={SIGNED}, Signature={}",
            self.id,
            hex(&hmac_sha256(&self.derived(&date), &text))
        );
        request
            .header("content-type", CONTENT_TYPE)
            .header("x-tc-timestamp", seconds)
            .header("authorization", authorization)
    }

    fn derived(&self, date: &str) -> Vec<u8> {
        let key = format!("TC3{}", self.key.reveal());
        let key = hmac_sha256(key.as_bytes(), date);
        hmac_sha256(&hmac_sha256(&key, self.service), "tc3_request")
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::Method;

    use super::*;

    fn check(host: &str, body: &str, seconds: i64, expected: &str) {
        let (id, key) = ("AKIDtest".to_owned(), Secret::from("SKtest".to_owned()));
        let signer = Signer { id, key, service: "dnspod" };
        let request = Request::new(Method::Post, format!("https://{host}/"));
        let request = Request { body: body.as_bytes().to_vec(), ..request };
        let request = signer.sign(request, Timestamp::from_second(seconds).unwrap());
        let (_, value) = request.headers.iter().find(|(name, _)| name == "authorization").unwrap();
        assert!(value.ends_with(&format!("Signature={expected}")), "{value}");
    }

    #[test]
    fn the_vectors_come_out() {
        check(
            "dnspod.tencentcloudapi.com",
            r#"{"Domain":"example.com"}"#,
            1_700_000_000,
            "91ec2c413c408d9b26c3424f527c127cb51bbed7a126f9c08a2cbe2f11b76e9f",
        );
        // As the official client for Python sent it.
        check(
            "127.0.0.1:18098",
            r#"{"Domain": "nosuch.com"}"#,
            1_795_220_247,
            "3462a2ffe39130c0048c4cb985f972521afba0c58ac5961b1a7e2dbd2cb98376",
        );
    }
}
