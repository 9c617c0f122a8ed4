//! Records of an authority's file: NDJSON and CSV.
use super::{text_of, today};
use std::{
    io::Cursor,
    sync::{Arc, OnceLock},
};
use tokio::runtime::Runtime;
use tuantibu::{
    crypto::{Keys, RootKey, Suite, random::OsRandom},
    model::{
        catalogue::Catalogue,
        document::{Document, DocumentType},
        health::{ItemRecord, Items},
        name::Name,
        phone::Regions,
    },
    source::{
        Answer, Ask, HealthSource,
        embedded::EmbeddedSource,
        import::{Format, Options, import},
        record::{HealthRecord, Rules, read_line},
    },
};

pub(super) fn catalogue() -> Arc<Catalogue> {
    static CATALOGUE: OnceLock<Arc<Catalogue>> = OnceLock::new();
    CATALOGUE
        .get_or_init(|| Arc::new(Catalogue::embedded()))
        .clone()
}

pub(super) fn rules() -> Rules {
    Rules {
        catalogue: catalogue(),
        regions: Regions::mainland(),
        today: today(),
    }
}

/// A record holds nothing that the catalogue does not know.
pub(super) fn assert_known<'a>(items: impl Iterator<Item = (&'a String, &'a ItemRecord)>) {
    for (id, record) in items {
        let catalogue = catalogue();
        let item = catalogue
            .get(id)
            .unwrap_or_else(|| panic!("{id} is no item"));
        assert_eq!(item.kind, record.kind(), "{id}");
        if let ItemRecord::Status { value, .. } = record {
            let known = item.values.iter().any(|known| known.value == *value);
            assert!(known || value == "unknown", "{id} has a value of its own");
        }
    }
}

/// No word of what is wrong quotes a number of the line.
fn assert_tells_no_number(problem: &str) {
    let runs = problem.split(|c: char| !c.is_ascii_digit());
    assert!(runs.map(str::len).all(|digits| digits < 6), "{problem}");
}

pub(super) fn ndjson(data: &[u8]) {
    let Some(line) = text_of(data) else { return };
    let wire = match read_line(line) {
        Ok(wire) => wire,
        Err(error) => return assert_tells_no_number(&error.problem),
    };
    let written = serde_json::to_string(&wire).unwrap();
    assert!(read_line(&written).is_ok_and(|again| again == wire));
    match HealthRecord::check(&wire, &rules()) {
        Ok(record) => assert_known(record.items.iter()),
        Err(error) => assert_tells_no_number(&error.problem),
    }
}

/// A source with a runtime of its own, for all inputs.
struct Store {
    runtime: Runtime,
    source: EmbeddedSource,
    _folder: tempfile::TempDir,
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let random = || Arc::new(OsRandom::new());
        let root =
            RootKey::create(&folder.path().join("root.key"), Suite::Aes, &*random()).unwrap();
        let rows = Keys::draw(&root, Suite::Aes, &*random());
        let keys = Arc::new(Keys::unwrap_all(&root, &rows, random()).unwrap());
        let runtime = Runtime::new().unwrap();
        let path = folder.path().join("source.db");
        let open = EmbeddedSource::open(&path, keys, catalogue(), Regions::mainland());
        let source = runtime.block_on(open).unwrap();
        Self {
            runtime,
            source,
            _folder: folder,
        }
    }
}

/// The person of the seeds.
fn somebody() -> Ask {
    Ask {
        name: Name::parse("王小明").unwrap(),
        document: Document::parse(DocumentType::ResidentId, "110100195801010019", today()).unwrap(),
        items: catalogue()
            .items
            .iter()
            .map(|item| item.id.clone())
            .collect(),
    }
}

fn known(items: &Items) {
    assert_known(
        items
            .iter()
            .filter_map(|(id, record)| Some((id, record.as_ref()?))),
    );
}

pub(super) fn csv(data: &[u8]) {
    static STORE: OnceLock<Store> = OnceLock::new();
    let store = STORE.get_or_init(Store::new);
    let options = Options {
        format: Format::Csv,
        strict: false,
        rules: rules(),
    };
    store.runtime.block_on(async {
        let input = Cursor::new(data.to_vec());
        if let Ok(report) = import(&store.source, input, &options, |_| {}).await {
            assert_eq!(report.lines, report.imported + report.failed);
            let rows = data.iter().filter(|byte| **byte == b'\n').count() as u64 + 2;
            assert!(report.lines <= rows);
            for error in &report.errors {
                assert_tells_no_number(&error.problem);
            }
        }
        let answers = store.source.read(&[somebody()]).await.unwrap();
        if let [Answer::Found { items, .. }] = &*answers {
            known(items);
        }
    });
}
