//! The rows of the hard cases, by their numbers.

use super::row;

#[test]
fn m09_what_decides_and_stands_there_twice_is_refused() {
    row("m09", 18);
}

#[test]
fn m10_a_genuine_mail_for_somebody_else_is_refused() {
    row("m10", 20);
}

#[test]
fn m11_r08_a_genuine_mail_once_more_brings_nothing_new() {
    row("m11", 9);
}

#[test]
fn m19_what_other_streams_echo_is_not_taken() {
    row("m19", 15);
}

#[test]
fn m28_two_from_are_refused_whoever_is_first() {
    row("m28", 11);
}

#[test]
fn m29_a_from_behind_a_blank_in_the_first_line_is_refused() {
    row("m29", 4);
}

#[test]
fn m30_a_from_with_a_blank_before_its_colon_is_refused() {
    row("m30", 6);
}

#[test]
fn m31_a_from_folded_before_its_colon_is_refused() {
    row("m31", 5);
}

#[test]
fn m32_another_sender_does_not_count_and_a_mail_sent_on_is_refused() {
    row("m32", 9);
}

#[test]
fn m33_a_from_with_two_addresses_or_none_is_refused() {
    row("m33", 11);
}

#[test]
fn m34_a_group_in_from_is_refused() {
    row("m34", 6);
}

#[test]
fn m35_the_address_is_found_before_encoded_words_are_decoded() {
    row("m35", 9);
}

#[test]
fn m36_a_route_in_from_is_refused() {
    row("m36", 5);
}

#[test]
fn m37_a_quoted_pair_outside_quotes_is_refused() {
    row("m37", 5);
}

#[test]
fn m38_text_around_an_address_is_refused() {
    row("m38", 16);
}

#[test]
fn m39_a_display_name_is_no_address() {
    row("m39", 10);
}

#[test]
fn m40_a_domain_that_only_looks_like_the_vendor_s_is_refused() {
    row("m40", 16);
}

#[test]
fn m41_two_keys_anywhere_in_a_mail_are_refused() {
    row("m41", 13);
}

#[test]
fn m42_text_and_html_that_disagree_are_refused() {
    row("m42", 10);
}

#[test]
fn m43_a_mail_within_a_mail_and_an_attachment_are_never_mined_for_keys() {
    row("m43", 16);
}

#[test]
fn m44_a_structure_with_two_readings_is_refused() {
    row("m44", 55);
}

#[test]
fn m45_an_encoding_is_read_by_the_letter_or_refused() {
    row("m45", 40);
}

#[test]
fn m46_a_key_is_plain_ascii_in_a_plain_character_set() {
    row("m46", 50);
}

#[test]
fn m47_what_html_hides_is_never_taken() {
    row("m47", 95);
}

#[test]
fn m48_a_subject_s_encoded_words_are_whole_and_never_shown() {
    row("m48", 10);
}

#[test]
fn m49_a_broken_header_is_refused() {
    row("m49", 14);
}

#[test]
fn r05_two_from_blanks_and_folds_are_refused_in_22_forms() {
    let rows = ["m28", "m29", "m30", "m31"];
    rows.iter().zip([11, 4, 6, 5]).for_each(|(name, count)| row(name, count));
}

#[test]
fn r06_encoded_routed_quoted_and_displayed_addresses_are_refused_in_60_forms() {
    let rows = ["m33", "m34", "m35", "m36", "m37", "m38", "m39", "m40"];
    rows.iter().zip([11, 6, 9, 5, 5, 16, 10, 16]).for_each(|(name, count)| row(name, count));
}

#[test]
fn r15_two_keys_disagreeing_texts_and_nested_mails_are_refused_in_30_forms() {
    ["m41", "m42", "m43"].iter().zip([13, 10, 16]).for_each(|(name, count)| row(name, count));
}
