//! A registry that is filled for one answer: what is gone from the status leaves no series behind.

use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
        info::Info,
    },
    registry::{Registry, Unit},
};
use std::sync::atomic::AtomicU64;

pub type Labels = Vec<(&'static str, String)>;
pub type Series = Vec<(Labels, f64)>;
pub type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
pub type Counters = Family<Labels, Counter>;

pub struct Sheet(Registry);

impl Sheet {
    pub fn new() -> Self {
        Self(Registry::default())
    }

    pub fn info(&mut self, name: &str, help: &str, about: Labels) {
        self.0.register(name, help, Info::new(about));
    }
    /// Without a label.
    pub fn one(&mut self, name: &str, help: &str, value: f64) {
        self.0.register(name, help, ConstGauge::new(value));
    }
    /// The unit goes behind the name. What is not known has no series.
    pub fn one_seconds(&mut self, name: &str, help: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.0.register_with_unit(name, help, Unit::Seconds, ConstGauge::new(value));
        }
    }
    pub fn gauge(&mut self, name: &str, help: &str, series: impl IntoIterator<Item = (Labels, f64)>) {
        self.0.register(name, help, gauges(series));
    }
    /// The unit goes behind the name.
    pub fn gauge_seconds(&mut self, name: &str, help: &str, series: impl IntoIterator<Item = (Labels, f64)>) {
        self.gauges_seconds(name, help, &gauges(series));
    }
    pub fn gauges_seconds(&mut self, name: &str, help: &str, gauges: &Gauges) {
        self.0.register_with_unit(name, help, Unit::Seconds, gauges.clone());
    }
    /// `_total` goes behind the name.
    pub fn counters(&mut self, name: &str, help: &str, counters: &Counters) {
        self.0.register(name, help, counters.clone());
    }
    pub fn histogram_seconds(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.0.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        // A String takes everything that is written to it.
        let _ = encode(&mut text, &self.0);
        text
    }
}

pub fn labels<const N: usize>(labels: [(&'static str, &str); N]) -> Labels {
    labels.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

fn gauges(series: impl IntoIterator<Item = (Labels, f64)>) -> Gauges {
    let gauges = Gauges::default();
    for (labels, value) in series {
        gauges.get_or_create(&labels).set(value);
    }
    gauges
}
