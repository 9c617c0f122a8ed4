//! The parts of FHIR resources that are read. Everything else is passed over.
use serde::Deserialize;
use serde_json::Value;

/// `Patient`, beyond its identifiers.
#[derive(Deserialize)]
pub(super) struct PatientResource {
    #[serde(default)]
    pub(super) active: Option<bool>,
    #[serde(default)]
    pub(super) name: Vec<HumanName>,
    #[serde(default)]
    pub(super) telecom: Vec<ContactPoint>,
}

#[derive(Deserialize)]
pub(super) struct HumanName {
    #[serde(rename = "use", default)]
    pub(super) usage: Option<String>,
    #[serde(default)]
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) family: Option<String>,
    #[serde(default)]
    pub(super) given: Vec<Option<String>>,
    #[serde(default)]
    pub(super) period: Option<Period>,
}

#[derive(Deserialize)]
pub(super) struct ContactPoint {
    #[serde(default)]
    pub(super) system: Option<String>,
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(rename = "use", default)]
    pub(super) usage: Option<String>,
    #[serde(default)]
    pub(super) rank: Option<u32>,
    #[serde(default)]
    pub(super) period: Option<Period>,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct Period {
    #[serde(default)]
    pub(super) start: Option<String>,
    #[serde(default)]
    pub(super) end: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct CodeableConcept {
    #[serde(default)]
    pub(super) coding: Vec<Coded>,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct Coded {
    #[serde(default)]
    pub(super) system: Option<String>,
    #[serde(default)]
    pub(super) code: Option<String>,
}

impl Coded {
    /// Whether both system and code are these.
    pub(super) fn is(&self, system: &str, code: &str) -> bool {
        self.system.as_deref() == Some(system) && self.code.as_deref() == Some(code)
    }
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImmunizationResource {
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) vaccine_code: CodeableConcept,
    #[serde(default)]
    pub(super) occurrence_date_time: Option<String>,
    #[serde(default)]
    pub(super) is_subpotent: Option<bool>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObservationResource {
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) code: CodeableConcept,
    #[serde(default)]
    pub(super) effective_date_time: Option<String>,
    #[serde(default)]
    pub(super) effective_instant: Option<String>,
    #[serde(default)]
    pub(super) effective_period: Option<Period>,
    #[serde(default)]
    pub(super) issued: Option<String>,
    #[serde(default)]
    pub(super) value_codeable_concept: Option<CodeableConcept>,
    #[serde(default)]
    pub(super) interpretation: Vec<CodeableConcept>,
}

/// Whom an Immunization (`patient`) or an Observation (`subject`) is about.
pub(super) fn reference_of(resource: &Value) -> Option<&str> {
    let about = match resource["resourceType"].as_str()? {
        "Immunization" => &resource["patient"],
        _ => &resource["subject"],
    };
    about["reference"].as_str()
}
