//! The way to a centre: verified TLS, or plain on this machine.
use crate::{model::address, sms::Wrong};
use rustls_platform_verifier::Verifier;
use std::{fmt, path::Path, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use url::Url;

/// The port of SMPP where the address names none.
const PORT: u16 = 2775;

/// Octets both ways.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where a centre is.
pub(super) struct Peer {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Peer {
    /// `smpps://HOST[:PORT]`, or `smpp://` on this machine.
    pub(super) fn new(text: &str, ca_file: Option<&Path>) -> Result<Self, Wrong> {
        let wrong = |problem: &str| Wrong::new("url", problem);
        let (scheme, rest) = text
            .split_once("://")
            .filter(|(scheme, _)| matches!(*scheme, "smpp" | "smpps"))
            .ok_or_else(|| wrong("not like smpps://HOST:PORT"))?;
        // As the host of a web address it is read as strictly as one.
        let url = Url::parse(&format!("http://{rest}"))
            .map_err(|_| wrong("not like smpps://HOST:PORT"))?;
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        let host = url.host_str().filter(|_| is_bare);
        let host = host.ok_or_else(|| wrong("must have nothing but host and port"))?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        if scheme == "smpp" && !address::is_this_machine(&url) {
            return Err(wrong("must be smpps; plain smpp is for this machine only"));
        }
        let tls = if scheme == "smpps" {
            let name = ServerName::try_from(host.clone());
            let name = name.map_err(|_| wrong("its host is none that a certificate could name"))?;
            Some((connector(ca_file)?, name))
        } else {
            None
        };
        // Port 80 is the web's default, which the address hides when it is written out.
        let named = rest.trim_end_matches('/').ends_with(":80").then_some(80);
        Ok(Self {
            host,
            port: url.port().or(named).unwrap_or(PORT),
            tls,
        })
    }

    /// How it is reached, in words.
    pub(super) fn words(&self) -> &'static str {
        match self.tls {
            Some(_) => "its certificate holds",
            None => "plain, on this machine",
        }
    }

    /// Connects.
    pub(super) async fn connect(&self) -> Result<Box<dyn Stream>, String> {
        let no_connection = |error: std::io::Error| format!("no connection: {}", words(&error));
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = stream.map_err(no_connection)?;
        // A text is one small packet, and nobody waits for a second.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), stream).await;
                Ok(Box::new(stream.map_err(no_connection)?))
            }
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peer(…)")
    }
}

/// An error in words that name no address.
pub(super) fn words(error: &std::io::Error) -> String {
    match error.get_ref() {
        Some(inner) => inner.to_string(),
        None => error.kind().to_string(),
    }
}

/// Trusts what the system trusts, and the certificates of a file beside it.
fn connector(ca_file: Option<&Path>) -> Result<TlsConnector, Wrong> {
    let mut extra = Vec::new();
    if let Some(path) = ca_file {
        let wrong = |problem: &dyn fmt::Display| Wrong::new("ca_file", problem);
        let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            extra.push(certificate.map_err(|error| wrong(&error))?);
        }
        if extra.is_empty() {
            return Err(wrong(&"holds no certificate"));
        }
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let no_tls = |error: tokio_rustls::rustls::Error| Wrong::new("url", error);
    let verifier = Verifier::new_with_extra_roots(extra, provider.clone()).map_err(no_tls)?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(no_tls)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached_without_tls() {
        for (text, host, port) in [
            ("smpp://127.0.0.1", "127.0.0.1", 2775),
            ("smpp://localhost:80", "localhost", 80),
            ("smpp://[::1]:3550", "::1", 3550),
            ("smpps://smsc.example.cn:3550", "smsc.example.cn", 3550),
        ] {
            let peer = Peer::new(text, None).unwrap();
            assert_eq!((peer.host.as_str(), peer.port), (host, port), "{text}");
        }
        for (text, problem) in [
            ("smpp://smsc.example.cn", "must be smpps"),
            ("https://smsc.example.cn", "not like"),
            ("smsc.example.cn:2775", "not like"),
            ("smpps://name@smsc.example.cn", "nothing but host"),
            ("smpps://smsc.example.cn/path", "nothing but host"),
        ] {
            let wrong = Peer::new(text, None).unwrap_err();
            assert!(wrong.problem.contains(problem), "{text}: {wrong:?}");
        }
    }
}
