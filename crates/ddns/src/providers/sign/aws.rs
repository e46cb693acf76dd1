//! Amazon Web Services, signature version 4, as Route 53 takes it.

use jiff::Timestamp;

use crate::{secret::Secret, wire::Request};

use super::{Parts, basic, hex, hmac_sha256, sha256_hex};

/// Who signs.
#[derive(Debug)]
pub(crate) struct Signer {
    /// The key's identifier.
    pub(crate) id: String,
    /// The key.
    pub(crate) key: Secret,
    /// The token of a temporary key.
    pub(crate) session: Option<Secret>,
    /// The region; a service without regions has one all the same.
    pub(crate) region: String,
}

/// Which service is meant.
const SERVICE: &str = "route53";

impl Signer {
    /// Signs a request, whose body and URL may not change any more; its query must be in order.
    pub(crate) fn sign(&self, request: Request, now: Timestamp) -> Request {
        let time = basic(now);
        let date = now.strftime("%Y%m%d").to_string();
        let scope = format!("{date}/{}/{SERVICE}/aws4_request", self.region);
        let parts = Parts::of(&request.url);
        let (session, signed) = match &self.session {
            Some(token) => (
                format!("x-amz-security-token:{}\n", token.reveal()),
                "host;x-amz-date;x-amz-security-token",
            ),
            None => (String::new(), "host;x-amz-date"),
        };
        let canonical = format!(
            "{}\n{}\n{}\nhost:{}\nx-amz-date:{time}\n{session}\n{signed}\n{}",
            request.method.as_str(),
            parts.path,
            parts.query,
            parts.host,
            sha256_hex(&request.body)
        );
        let hash = sha256_hex(canonical.as_bytes());
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hash}");
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={}",
            self.id,
            hex(&hmac_sha256(&self.derived(&date), &text))
        );
        let request = match &self.session {
            Some(token) => request.header("x-amz-security-token", token.reveal()),
            None => request,
        };
        request.header("x-amz-date", time).header("authorization", authorization)
    }

    fn derived(&self, date: &str) -> Vec<u8> {
        let key = format!("AWS4{}", self.key.reveal());
        let key = hmac_sha256(key.as_bytes(), date);
        let key = hmac_sha256(&key, &self.region);
        hmac_sha256(&hmac_sha256(&key, SERVICE), "aws4_request")
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::Method;

    use super::*;

    /// A request as the official client for Python sent it.
    const BODY: &str = "<ChangeResourceRecordSetsRequest \
        xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch><Changes><Change>\
        <Action>UPSERT</Action><ResourceRecordSet><Name>home.example.com.</Name><Type>A</Type>\
        <TTL>60</TTL><ResourceRecords><ResourceRecord><Value>198.51.100.7</Value></ResourceRecord>\
        </ResourceRecords></ResourceRecordSet></Change></Changes></ChangeBatch>\
        </ChangeResourceRecordSetsRequest>";

    fn signer(session: Option<&str>) -> Signer {
        let session = session.map(|token| Secret::from(token.to_owned()));
        let (id, key) = ("AKIDEXAMPLE".to_owned(), Secret::from("SK".to_owned()));
        Signer { id, key, session, region: "us-east-1".to_owned() }
    }

    fn sent(signer: &Signer) -> Request {
        let url = "http://127.0.0.1:18098/2013-04-01/hostedzone/Z1/rrset/";
        let request = Request::new(Method::Post, url);
        let request = Request { body: BODY.as_bytes().to_vec(), ..request };
        signer.sign(request, "2026-11-21T00:16:13Z".parse().unwrap())
    }

    #[test]
    fn a_request_of_the_official_client_comes_out() {
        assert_eq!(BODY.len(), 398);
        let request = sent(&signer(None));
        let expected = "AWS4-HMAC-SHA256 \
            Credential=AKIDEXAMPLE/20261121/us-east-1/route53/aws4_request, \
            SignedHeaders=host;x-amz-date, \
            Signature=47c357ddd15367094763c2ba36f96fbc2ddbd78b9af1138b0daec1533ff30edf";
        let date = ("x-amz-date".to_owned(), "20261121T001613Z".to_owned());
        assert_eq!(request.headers, [date, ("authorization".to_owned(), expected.to_owned())]);
    }

    #[test]
    fn the_token_of_a_temporary_key_is_signed_too() {
        let request = sent(&signer(Some("t0ken")));
        let header = |name: &str| {
            request.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
        };
        assert_eq!(header("x-amz-security-token").as_deref(), Some("t0ken"));
        let authorization = header("authorization").unwrap();
        assert!(authorization.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"));
    }
}
