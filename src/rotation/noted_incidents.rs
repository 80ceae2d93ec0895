//! The open incidents in a state document. A later version may have put some there whose code this one does not know:
//! they are carried along as they are, and are no reason to refuse the rest.

use super::incident::Incident;
use crate::domain::Code;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error, ser::SerializeSeq};
use serde_json::Value;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct NotedIncidents {
    pub known: Vec<Incident>,
    strange: Vec<Value>,
}

impl Serialize for NotedIncidents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.known.len() + self.strange.len()))?;
        self.known.iter().try_for_each(|incident| list.serialize_element(incident))?;
        self.strange.iter().try_for_each(|incident| list.serialize_element(incident))?;
        list.end()
    }
}

impl<'de> Deserialize<'de> for NotedIncidents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let is_strange = |incident: &Value| {
            incident.get("code").and_then(Value::as_str).is_some_and(|code| code.parse::<Code>().is_err())
        };
        let all = Vec::<Value>::deserialize(deserializer)?;
        let (strange, known): (Vec<_>, Vec<_>) = all.into_iter().partition(is_strange);
        let known =
            known.into_iter().map(|incident| serde_json::from_value(incident).map_err(D::Error::custom));
        Ok(Self { known: known.collect::<Result<_, _>>()?, strange })
    }
}
