//! What a centre says of a text that it took earlier.
use crate::sms::Receipt;
use rusmpp::{
    pdus::DeliverSm,
    tlvs::TlvValue,
    values::{MessageState, MessageType},
};

/// Longer names of messages are none that we were given.
const LONGEST: usize = 64;

/// The receipt that a delivery carries, where it is one about a final state. By its fields, or else
/// by the text that SMPP 3.4 shows in its appendix B, which many centres send alone.
pub(super) fn of(deliver: &DeliverSm) -> Option<Receipt> {
    if deliver.esm_class.message_type != MessageType::ShortMessageContainsMCDeliveryReceipt {
        return None;
    }
    let mut message = None;
    let mut state = None;
    for value in deliver.tlvs().iter().filter_map(|tlv| tlv.value()) {
        match value {
            TlvValue::ReceiptedMessageId(id) => message = Some(id.as_str().to_owned()),
            TlvValue::MessageState(value) => state = word(*value),
            _ => {}
        }
    }
    let text = String::from_utf8_lossy(deliver.short_message().as_ref());
    let message = message.or_else(|| field(&text, "id:"))?;
    let state = state
        .map(str::to_owned)
        .or_else(|| field(&text, "stat:"))?
        .to_ascii_uppercase();
    let failure = match state.as_str() {
        "DELIVRD" | "ACCEPTD" => None,
        "EXPIRED" | "DELETED" | "UNDELIV" | "REJECTD" => Some(format!("receipt: {state}")),
        // On its way, or nothing that is known.
        _ => return None,
    };
    let fits = !message.is_empty() && message.len() <= LONGEST;
    fits.then_some(Receipt { message, failure })
}

/// What follows a name, up to white space. The text that is receipted comes last and is not read.
fn field(text: &str, name: &str) -> Option<String> {
    let before = text.find("text:").unwrap_or(text.len());
    let text = text.get(..before)?;
    text.split_ascii_whitespace()
        .find_map(|word| word.strip_prefix(name))
        .map(str::to_owned)
}

fn word(state: MessageState) -> Option<&'static str> {
    Some(match state {
        MessageState::Delivered => "DELIVRD",
        MessageState::Expired => "EXPIRED",
        MessageState::Deleted => "DELETED",
        MessageState::Undeliverable => "UNDELIV",
        MessageState::Accepted => "ACCEPTD",
        MessageState::Rejected => "REJECTD",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusmpp::{
        tlvs::MessageDeliveryRequestTlvValue,
        types::{COctetString, OctetString},
        values::EsmClass,
    };

    fn deliver(esm_class: u8, text: &str) -> DeliverSm {
        DeliverSm::builder()
            .esm_class(EsmClass::from(esm_class))
            .short_message(OctetString::from_slice(text.as_bytes()).unwrap())
            .build()
    }

    fn receipt(message: &str, failure: Option<&str>) -> Option<Receipt> {
        Some(Receipt {
            message: message.to_owned(),
            failure: failure.map(str::to_owned),
        })
    }

    #[test]
    fn a_receipt_is_read_from_its_text() {
        let text = "id:0a1b sub:001 dlvrd:001 submit date:2211141200 done date:2211141200 \
                    stat:DELIVRD err:000 text:id:9 stat:UNDELIV";
        assert_eq!(of(&deliver(4, text)), receipt("0a1b", None));
        assert_eq!(of(&deliver(0, text)), None, "a message of somebody");
        let failed = "id:7 stat:UNDELIV err:001 text:";
        assert_eq!(
            of(&deliver(4, failed)),
            receipt("7", Some("receipt: UNDELIV"))
        );
        for none in [
            "",
            "id:7",
            "stat:DELIVRD",
            "id:7 stat:ENROUTE",
            "text:id:7 stat:DELIVRD",
        ] {
            assert_eq!(of(&deliver(4, none)), None, "{none}");
        }
    }

    #[test]
    fn a_receipt_is_read_from_its_fields_first() {
        let mut deliver = deliver(4, "id:8 stat:DELIVRD");
        let id = COctetString::from_string("9".to_owned()).unwrap();
        deliver.push_tlv(MessageDeliveryRequestTlvValue::ReceiptedMessageId(id));
        let state = MessageDeliveryRequestTlvValue::MessageState(MessageState::Expired);
        deliver.push_tlv(state);
        assert_eq!(of(&deliver), receipt("9", Some("receipt: EXPIRED")));
    }
}
