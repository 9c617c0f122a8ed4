use super::*;
use crate::model::phone::Regions;
use jiff::tz::TimeZone;

fn client(base: &str) -> Client {
    Client::new(&FhirConfig::new(base, TimeZone::UTC, Regions::default()).unwrap()).unwrap()
}

#[test]
fn next_links_stay_on_the_base() {
    let client = client("https://health.example/fhir");
    for good in [
        "https://health.example/fhir/Patient?page=2",
        "https://health.example:443/fhir?_getpages=7",
        "Patient?page=2",
        "?_getpages=7",
        "/fhir/Patient?page=2#x",
    ] {
        assert!(client.next_page(good).is_ok(), "{good}");
    }
    for bad in [
        "http://health.example/fhir/Patient?page=2",
        "https://health.example:8443/fhir/Patient",
        "https://other.example/fhir/Patient",
        "https://health.example.evil.example/fhir/Patient",
        "https://user@health.example/fhir/Patient",
        "https://health.example/admin",
        "https://health.example/fhirx/Patient",
        "https://health.example/fhir/../admin",
        "https://health.example/fhir/%2e%2e/admin",
        "https://health.example/fhir/..%2fadmin",
        "https://health.example/fhir/..%5cadmin",
        "//169.254.169.254/fhir/Patient",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://[",
    ] {
        assert!(client.next_page(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_base_without_path_has_pages_too() {
    let client = client("https://health.example/");
    assert!(
        client
            .next_page("https://health.example/Patient?page=2")
            .is_ok()
    );
    assert!(client.next_page("https://health.example/?page=2").is_ok());
    assert!(client.next_page("https://other.example/?page=2").is_err());
}

#[test]
fn references_name_the_patient_asked_for_and_nobody_else() {
    let client = client("https://health.example/fhir");
    let patient = Found {
        id: "a1".to_owned(),
        urn: Some("urn:uuid:1".to_owned()),
        names: vec![],
        phones: vec![],
    };
    for good in [
        "Patient/a1",
        "Patient/a1/_history/3",
        "https://health.example/fhir/Patient/a1",
        "urn:uuid:1",
    ] {
        assert!(client.is_patient(good, &patient), "{good}");
    }
    for bad in [
        "Patient/a2",
        "Patient/a1/x",
        "Patient/a11",
        "a1",
        "#a1",
        "Group/a1",
        "https://other.example/fhir/Patient/a1",
        "https://health.example/fhirPatient/a1",
        "urn:uuid:2",
        "",
    ] {
        assert!(!client.is_patient(bad, &patient), "{bad}");
    }
}
