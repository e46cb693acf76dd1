//! Volcengine, HMAC-SHA256: like AWS's fourth version, with other words.

use jiff::Timestamp;

use crate::{
    secret::Secret,
    wire::{Method, Request},
};

use super::{Parts, basic, hex, hmac_sha256, sha256_hex};

/// Which service is meant, and where.
const SCOPE: (&str, &str) = ("cn-north-1", "dns");
/// The type of every body; it is signed.
const CONTENT_TYPE: &str = "application/json";

/// Signs a request, whose body and URL may not change any more; its query must be in order.
pub(crate) fn sign(request: Request, id: &str, key: &Secret, now: Timestamp) -> Request {
    let (time, date) = (basic(now), now.strftime("%Y%m%d").to_string());
    let scope = format!("{date}/{}/{}/request", SCOPE.0, SCOPE.1);
    let hash = sha256_hex(&request.body);
    let (typed, signed) = match request.method {
        Method::Get => (String::new(), "host;x-content-sha256;x-date"),
        Method::Post | Method::Put | Method::Patch | Method::Delete => {
            let typed = format!("content-type:{CONTENT_TYPE}\n");
            (typed, "content-type;host;x-content-sha256;x-date")
        }
    };
    let parts = Parts::of(&request.url);
    let canonical = format!(
        "{}\n{}\n{}\n{typed}host:{}\nx-content-sha256:{hash}\nx-date:{time}\n\n{signed}\n{hash}",
        request.method.as_str(),
        parts.path,
        parts.query,
        parts.host,
    );
    let text = format!("HMAC-SHA256\n{time}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let signature = hex(&hmac_sha256(&derived(key, &date), &text));
    let authorization = format!(
        "HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}"
    );
    let request = match request.method {
        Method::Get => request,
        Method::Post | Method::Put | Method::Patch | Method::Delete => {
            request.header("content-type", CONTENT_TYPE)
        }
    };
    let request = request.header("x-date", time).header("x-content-sha256", hash);
    request.header("authorization", authorization)
}

fn derived(key: &Secret, date: &str) -> Vec<u8> {
    let key = hmac_sha256(key.reveal().as_bytes(), date);
    let key = hmac_sha256(&key, SCOPE.0);
    hmac_sha256(&hmac_sha256(&key, SCOPE.1), "request")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with what the official client for Python signs (volcengine 1.0.229).
    fn check(method: Method, query: &str, body: &str, expected: &str) {
        let key = Secret::from("SKtest".to_owned());
        let request = Request::new(method, format!("https://dns.volcengineapi.com/?{query}"));
        let request = Request { body: body.as_bytes().to_vec(), ..request };
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let request = sign(request, "AKtest", &key, now);
        let (_, value) = request.headers.iter().find(|(name, _)| name == "authorization").unwrap();
        let scope = "HMAC-SHA256 Credential=AKtest/20231114/cn-north-1/dns/request, ";
        assert!(value.starts_with(scope), "{value}");
        assert!(value.ends_with(&format!("Signature={expected}")), "{value}");
    }

    #[test]
    fn the_official_client_signs_the_same() {
        check(
            Method::Get,
            "Action=ListZones&Key=example.com&SearchMode=exact&Version=2018-08-01",
            "",
            "deba73795771abfd515745e0fcf1c3f6c993cc0d27fff0853d2c285175059e27",
        );
        check(
            Method::Post,
            "Action=UpdateRecord&Version=2018-08-01",
            r#"{"RecordID":"1"}"#,
            "36bf13653fe6936dbddd57f41be88623afb9872188eeef2162b5904965d854fe",
        );
    }
}
