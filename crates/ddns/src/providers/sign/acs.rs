//! Alibaba Cloud, RPC style, version 1.0: a query that carries its own HMAC of SHA-1.

use crate::{base64, secret::Secret};

use super::{
    super::answer::{encoded, query},
    hmac_sha1,
};

/// Returns the query with its signature. A parameter that is empty counts as well.
pub(crate) fn signed(method: &str, parameters: &[(&str, &str)], secret: &Secret) -> String {
    let mut parameters = parameters.to_vec();
    parameters.sort_unstable();
    let query = query(&parameters);
    let signature = encoded(&signature(&to_sign(method, &query), secret));
    format!("{query}&Signature={signature}")
}

fn to_sign(method: &str, query: &str) -> String {
    format!("{method}&%2F&{}", encoded(query))
}

fn signature(text: &str, secret: &Secret) -> String {
    let key = format!("{}&", secret.reveal());
    base64::encode(&hmac_sha1(key.as_bytes(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documents_comes_out() {
        let secret = Secret::from("testsecret".to_owned());
        let parameters = [
            ("Format", "XML"),
            ("AccessKeyId", "testid"),
            ("Action", "DescribeDomainRecords"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("DomainName", "example.com"),
            ("SignatureNonce", "f59ed6a9-83fc-473b-9cc6-99c95df3856e"),
            ("SignatureVersion", "1.0"),
            ("Version", "2015-01-09"),
            ("Timestamp", "2016-03-24T16:41:54Z"),
        ];
        let query = signed("GET", &parameters, &secret);
        let (query, signature) = query.split_once("&Signature=").unwrap();
        let expected = "GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeDomainRecords\
            %26DomainName%3Dexample.com%26Format%3DXML%26SignatureMethod%3DHMAC-SHA1\
            %26SignatureNonce%3Df59ed6a9-83fc-473b-9cc6-99c95df3856e%26SignatureVersion%3D1.0\
            %26Timestamp%3D2016-03-24T16%253A41%253A54Z%26Version%3D2015-01-09";
        assert_eq!(to_sign("GET", query), expected);
        assert_eq!(signature, encoded("uRpHwaSEt3J+6KQD//svCh/x+pI="));
    }

    /// A request as the official client for Python sent it, with an empty parameter.
    #[test]
    fn a_request_of_the_official_client_comes_out() {
        let secret = Secret::from("testsecret".to_owned());
        let parameters = [
            ("DomainName", "example.com"),
            ("RR", "@"),
            ("Type", "A"),
            ("Value", "198.51.100.7"),
            ("TTL", "600"),
            ("Version", "2015-01-09"),
            ("Action", "AddDomainRecord"),
            ("Format", "JSON"),
            ("RegionId", "cn-hangzhou"),
            ("Timestamp", "2026-11-21T00:16:11Z"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureType", ""),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", "e2fef6f8da813f8287a115c59bcdd559"),
            ("AccessKeyId", "testid"),
        ];
        let query = signed("GET", &parameters, &secret);
        assert!(query.ends_with("&Signature=GhiZg2ohcwbna7kYuku7CQrheyY%3D"), "{query}");
    }
}
