//! What is sent with a call that rotates.

use super::profile::{RotateCall, Span};
use serde_json::Value;

impl RotateCall {
    /// The JSON body, with the grace in the vendor's own word.
    pub fn body(&self, grace: Option<Span>) -> Option<Value> {
        let word = grace.and_then(|grace| self.graces.get(&grace)).map_or("", String::as_str);
        let mut json = self.json.clone()?;
        fill(&mut json, word);
        Some(json)
    }
}

fn fill(json: &mut Value, word: &str) {
    match json {
        Value::String(text) => *text = text.replace("{grace}", word),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, word)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, word)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_stands_in_the_body_in_the_vendors_own_word() {
        let call: RotateCall = yaml_serde::from_str(
            "post: /rotate\njson: {expire: {in: \"{grace}\"}, note: keyrelay}\ngraces: {1h: hour, 24h: day}\nissued: []\nkey: /key",
        )
        .unwrap();
        let body = |grace: &str| call.body(Span::try_from(grace.to_owned()).ok()).unwrap().to_string();
        assert_eq!(body("24h"), r#"{"expire":{"in":"day"},"note":"keyrelay"}"#);
        assert_eq!(body("1h"), r#"{"expire":{"in":"hour"},"note":"keyrelay"}"#);
    }
}
