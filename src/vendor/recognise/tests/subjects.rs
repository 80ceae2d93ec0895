//! Which stream a subject belongs to. The vendor documents none: these are what one would write.

use super::*;

const CONFIRMATIONS: [&str; 44] = [
    "Your Leaf7 API key has been rotated",
    "Your API key has been rotated.",
    "Your Leaf7 vendor API key was rotated",
    "Your API key was automatically rotated",
    "Your Leaf7 API key has been successfully rotated!",
    "Your Leaf7 API key has rotated",
    "[Leaf7] Your API key has been rotated",
    "[Leaf7] API key rotated",
    "Leaf7: API key rotated",
    "Leaf7 | Key rotated",
    "Leaf7 – Your key was renewed",
    "Leaf7 API key rotated successfully",
    "Leaf7 security notice: your API key was changed",
    "Important: Your API key has been replaced",
    "API key rotation complete",
    "API key rotation completed",
    "API Key Rotation Confirmation",
    "API key rotation: done",
    "Leaf7 key rotation successful",
    "Key rotation confirmed",
    "Confirmation: API key rotation",
    "Confirmation of your API key rotation",
    "Rotation of your API key complete",
    "Your key rotation is complete ✅",
    "Your new API key",
    "Your new Leaf7 API key",
    "Your new Leaf7 API key is here",
    "Your new API key is ready",
    "Your new vendor API key is now active",
    "Here is your new API key",
    "Here's your new API key",
    "🔑 Your new API key",
    "New API key",
    "New Leaf7 API key issued",
    "A new API key has been generated",
    "A new API key was generated for your account",
    "Dein neuer API-Schlüssel",
    "Ihr neuer Leaf7 API-Key",
    "Dein Leaf7-API-Schlüssel wurde rotiert",
    "Ihr API-Schlüssel wurde erfolgreich erneuert",
    "Leaf7: Schlüsselrotation abgeschlossen",
    "Votre nouvelle clé API",
    "Votre clé API Leaf7 a été renouvelée",
    "Rotation de votre clé API terminée",
];

const WARNINGS: [&str; 36] = [
    "Your Leaf7 API key will be rotated in 24 hours",
    "Your API key will be rotated tomorrow",
    "Your API key will be automatically rotated on 2026-11-21",
    "Your API key will rotate in 24 hours",
    "Your API key rotates in 24 hours",
    "Your API key rotates tomorrow",
    "Your API key expires in 24 hours",
    "Your Leaf7 API key is about to be rotated",
    "Your API key is about to rotate",
    "Your API key is scheduled for rotation",
    "Your API key is due to be rotated",
    "Your API key is expiring soon",
    "[Leaf7] Your API key will be rotated in 24 hours",
    "Leaf7: your API key rotates tomorrow",
    "Reminder: your Leaf7 API key will be rotated soon",
    "Heads up: your API key rotates in 24h",
    "Action required: your API key will change tomorrow",
    "⚠️ Your API key will be rotated in 24 hours",
    "Upcoming API key rotation",
    "Upcoming rotation of your API key",
    "Upcoming Leaf7 API key rotation",
    "Scheduled API key rotation",
    "Scheduled key rotation tomorrow",
    "API key rotation in 24 hours",
    "API key rotation tomorrow",
    "API key rotation scheduled",
    "API key rotation warning",
    "API key rotation reminder",
    "Leaf7 API key rotation notice",
    "API key rotation notice: 24 hours left",
    "Notice of upcoming key rotation",
    "Dein API-Schlüssel wird morgen rotiert",
    "Ihr Leaf7-API-Schlüssel wird in 24 Stunden erneuert",
    "Bevorstehende Schlüsselrotation",
    "Votre clé API sera renouvelée dans 24 heures",
    "Rotation de votre clé API dans 24 heures",
];

const NEITHER: [&str; 20] = [
    "",
    "News from Leaf7",
    "Re: Your new API key",
    "Fwd: Your Leaf7 API key has been rotated",
    "AW: Dein neuer API-Schlüssel",
    "Ticket 4711: your new API key",
    "Your project \"Your new API key\" was created",
    "Bob wrote: Your new API key",
    "Welcome to Leaf7",
    "Your invoice for November",
    "How to rotate your API key",
    "Why we rotate API keys",
    "Your API key rotation failed",
    "We could not rotate your API key",
    "Your API key was not rotated",
    "Your API key was revoked",
    "Someone signed in to your account",
    "A buyer redeemed a key",
    "Rotate your API key",
    "Your new API key: l7_f9e8d7c6b5a493827160f5e4d3c2b1a0",
];

#[test]
fn m19_subjects_tell_a_confirmation_from_a_warning_from_anything_else() {
    let profile = leaf7();
    let rules = profile.mail.as_ref().unwrap();
    let told = |subject: &str| match stream(rules, subject) {
        Stream::Confirmation => "confirmation",
        Stream::Warning => "warning",
        Stream::Other => "neither",
    };
    let wrong = |subjects: &[&'static str], wanted: &str| {
        let all = subjects.iter().map(|subject| (*subject, told(subject)));
        all.filter(|(_, found)| *found != wanted).collect::<Vec<_>>()
    };
    assert_eq!(wrong(&CONFIRMATIONS, "confirmation"), []);
    assert_eq!(wrong(&WARNINGS, "warning"), []);
    assert_eq!(wrong(&NEITHER, "neither"), []);
}
