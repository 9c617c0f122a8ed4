//! The schema and every statement hold on both engines.
use crate::{app::TestApp, on_both};

on_both! {
    async fn every_statement_prepares(app: TestApp) {
        let prepared = app.app.store.prepare_all().await.unwrap();
        assert!(prepared > 100, "{prepared} statements");
    }
}
