//! A cell that was moved or changed is an internal error that tells nothing, never another's data.
use crate::{
    app::{Client, Person, TestApp, confirm_path, owned},
    on_both,
};
use http_body_util::BodyExt;
use serde_json::json;
use tower::ServiceExt;
use tuantibu::store::sealed::{self, COLUMNS, Column};

/// Every cell of a column: row, cell.
async fn cells(app: &TestApp, column: &Column) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut tx = app.app.store.read().await.unwrap();
    let page = sealed::page(&mut tx, column, b"", b"", 1000).await.unwrap();
    page.into_iter().map(|row| (row.id, row.cell)).collect()
}

async fn put(app: &TestApp, column: &Column, row: &[u8], old: &[u8], new: &[u8]) {
    let mut tx = app.app.store.write().await.unwrap();
    assert!(sealed::put(&mut tx, column, row, old, new).await.unwrap());
    tx.commit().await.unwrap();
    app.app.views.invalidate_all();
}

/// Status and whole answer, of a request that may well fail.
async fn ask(app: &TestApp, client: &Client, path: &str) -> (u16, String) {
    let bearer = format!("Bearer {}", client.bearer.as_deref().unwrap());
    let request = axum::http::Request::get(path).header("authorization", bearer);
    send(app, request.body(axum::body::Body::empty()).unwrap()).await
}

async fn send(app: &TestApp, mut request: axum::extract::Request) -> (u16, String) {
    let peer: std::net::SocketAddr = "192.0.2.7:40000".parse().unwrap();
    request
        .extensions_mut()
        .insert(axum::extract::ConnectInfo(peer));
    let router = tuantibu::web::router(app.app.clone());
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

on_both! {
    async fn a_cell_that_was_moved_or_changed_opens_nowhere(app: TestApp) {
        let (owner, register) = owned(&app).await;
        for n in [1, 2] {
            app.member(&register, &Person::number(n)).await;
        }
        let second = app.register_with(&owner, |terms| terms["purpose"] = "第二个".into()).await;
        let mut others = Vec::new();
        for column in COLUMNS {
            others.extend(cells(&app, column).await.into_iter().map(|(_, cell)| cell));
        }
        assert!(others.len() > 9);
        let mut seen = 0;
        for (table, name, path) in [
            ("Persons", "profile", "/api/v1/me/data".to_owned()),
            ("Snapshots", "items", register.path("/members")),
            ("Registers", "code", register.path("")),
            ("Registers", "contact", register.path("")),
        ] {
            let column = COLUMNS
                .iter()
                .find(|column| (format!("{:?}", column.table).as_str(), column.name) == (table, name))
                .unwrap();
            let all = cells(&app, column).await;
            let own = match table {
                "Registers" => register.id.clone(),
                _ => String::new(),
            };
            // The row that the request reads: the owner's person, any snapshot, the register.
            for (row, cell) in &all {
                let mut wrong: Vec<Vec<u8>> = others.iter().filter(|other| *other != cell).cloned().collect();
                for at in [0, 1, 2, 5, 6, 18, cell.len() - 1] {
                    let mut changed = cell.clone();
                    changed[at] ^= 3;
                    wrong.push(changed);
                }
                wrong.push(cell[..4].to_vec());
                let (fine, whole) = ask(&app, &owner, &path).await;
                assert_eq!(fine, 200, "{whole}");
                for new in wrong {
                    put(&app, column, row, cell, &new).await;
                    let (status, answer) = ask(&app, &owner, &path).await;
                    let is_read = status == 500;
                    if is_read {
                        seen += 1;
                        assert!(answer.contains("\"code\":\"internal\""), "{answer}");
                        for person in [1, 2, 900].map(Person::number) {
                            for secret in [&person.name, &person.document, &person.phones[0]] {
                                assert!(!answer.contains(secret.as_str()), "{answer}");
                            }
                        }
                    } else {
                        // Not the row that this request reads, or a person shown without items.
                        assert!(status == 200 && answer.len() <= whole.len() + 40, "{status} {answer}");
                    }
                    put(&app, column, row, &new, cell).await;
                }
            }
            let _ = own;
        }
        assert!(seen > 40, "{seen}");
        let _ = second;
    }
}

on_both! {
    async fn what_was_typed_opens_in_no_other_verification(app: TestApp) {
        let (_, register) = owned(&app).await;
        let people = [1, 2].map(Person::number);
        for person in &people {
            app.member(&register, person).await;
        }
        let column = COLUMNS.iter().find(|column| column.name == "payload").unwrap();
        // Each in the other's place.
        for (at, from) in [(0, 1), (1, 0)] {
            app.clock.advance(61);
            let earlier = cells(&app, column).await;
            let mut begun = Vec::new();
            for person in &people {
                let answer = app.client().post("/api/v1/sign-in", person.identity()).await;
                begun.push(answer.expect(202));
            }
            let mut new = cells(&app, column).await;
            new.retain(|cell| !earlier.contains(cell));
            assert_eq!(new.len(), 2);
            let (row, own, wrong) = (&new[at].0, &new[at].1, &new[from].1);
            put(&app, column, row, own, wrong).await;
            let mut statuses = Vec::new();
            for (started, person) in begun.iter().zip(&people) {
                let code = json!({ "code": app.code(person.phone()) });
                let request = axum::http::Request::post(confirm_path(started))
                    .header("content-type", "application/json")
                    .body(axum::body::Body::from(code.to_string()))
                    .unwrap();
                let (status, whole) = send(&app, request).await;
                statuses.push(status);
                if status == 500 {
                    assert!(whole.contains("\"code\":\"internal\""), "{whole}");
                    assert!(!people.iter().any(|one| whole.contains(&one.name)), "{whole}");
                }
            }
            assert!(statuses.contains(&500), "{statuses:?}");
        }
    }
}
