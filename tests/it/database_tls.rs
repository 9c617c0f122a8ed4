//! A PostgreSQL on another machine: by a verified certificate, or because the operator said otherwise.
use crate::{
    app::{On, TestApp, owned},
    command_line::{configuration, refused},
    support::file,
};
use std::{fs, path::Path, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use tuantibu::{config::Database, store::Store};

#[test]
fn a_database_elsewhere_without_a_verified_certificate_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(folder.path(), "");
    let plain = fs::read_to_string(&config).unwrap();
    let set = |url: &str, more: &str| {
        let sqlite = format!("url = \"sqlite:{}/t.db\"", folder.path().display());
        let text = plain.replacen(&sqlite, &format!("url = \"{url}\"\n{more}"), 1);
        assert_ne!(text, plain);
        fs::write(&config, text).unwrap();
    };
    let check = ["config", "check", "--config", &config];
    for host in ["db.example.cn", "192.0.2.7", "[2001:db8::7]"] {
        for mode in [
            "",
            "?sslmode=disable",
            "?sslmode=prefer",
            "?sslmode=require",
            "?sslmode=verify-ca",
        ] {
            set(&format!("postgres://tuantibu@{host}:1/tuantibu{mode}"), "");
            let words = [
                "database.url",
                "sslmode=verify-full",
                "database.allow_insecure",
            ];
            refused(&check, &words);
        }
    }
    // Where the operator said so, it is asked, and does not answer.
    set(
        "postgres://tuantibu@0.0.0.0:1/tuantibu",
        "allow_insecure = true",
    );
    refused(&check, &["database.url: pool timed out"]);
}

/// Answers as PostgreSQL does where TLS is asked for, and passes on to the tests' own what comes by it.
async fn with_tls() -> u16 {
    let read = |name: &str| file("fixtures/tls").join(name);
    let chain = CertificateDer::pem_file_iter(read("server.pem")).unwrap();
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(read("server.key")).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let to = crate::services::postgres_url();
    let to = url::Url::parse(&to).unwrap();
    let to = format!("{}:{}", to.host_str().unwrap(), to.port().unwrap());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (acceptor, to) = (acceptor.clone(), to.clone());
            tokio::spawn(async move {
                let mut asked = [0; 8];
                client.read_exact(&mut asked).await?;
                assert_eq!(
                    asked[4..],
                    80_877_103_i32.to_be_bytes(),
                    "it asks for TLS first"
                );
                client.write_all(b"S").await?;
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(to).await?;
                copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    port
}

async fn opened(url: &str, root: &Path) -> Result<Store, String> {
    let url = format!("{url}?sslmode=verify-full&sslrootcert={}", root.display());
    let database = Database {
        url,
        connections: 2,
        allow_insecure: false,
    };
    Store::open(&database)
        .await
        .map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_another_authority_or_name_is_refused() {
    let app = TestApp::start(On::Postgres).await;
    let port = with_tls().await;
    let name = app.config.database.url.rsplit('/').next().unwrap();
    let at = |host: &str| format!("postgres://postgres@{host}:{port}/{name}");
    let (ours, others) = (file("fixtures/tls/ca.pem"), file("fixtures/tls/other.pem"));
    let refused = opened(&at("localhost"), &others).await.err().unwrap();
    assert!(refused.starts_with("database.url"), "{refused}");
    assert!(refused.contains("certificate"), "{refused}");
    let refused = opened(&at("127.0.0.1"), &ours).await.err().unwrap();
    assert!(refused.contains("certificate"), "another name: {refused}");
    // By the right one everything goes.
    let mut config = app.config.clone();
    config.database.url = format!(
        "{}?sslmode=verify-full&sslrootcert={}",
        at("localhost"),
        ours.display()
    );
    let by_tls = app.on_copy(config.database.url).await;
    owned(&by_tls).await;
}
