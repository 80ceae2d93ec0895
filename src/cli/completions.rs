//! `keyrelay completions`.

use super::{
    Cli,
    console::{Console, Exit},
};
use clap::CommandFactory;
use clap_complete::{Shell, generate};

/// Print what a shell needs to complete keyrelay's command line
///
/// For bash: keyrelay completions bash > /usr/share/bash-completion/completions/keyrelay. Needs no configuration.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose language it is written in
    shell: Shell,
}

pub fn completions(args: &Args, console: &mut Console<'_>) -> Exit {
    console.say(&script(args.shell));
    Exit::Done
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "keyrelay", &mut script);
    String::from_utf8(script).expect("the script is made of texts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;
    use std::process::Command;

    #[test]
    fn every_shell_is_told_of_every_command() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for command in Cli::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
        }
    }

    #[test]
    fn bash_completes_commands_and_options_with_it() {
        let ask = r#"
            COMP_WORDS=("${@:2}"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); COMP_POINT=0; COMPREPLY=()
            source /dev/stdin <<< "$1"
            _keyrelay keyrelay "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
            echo "${COMPREPLY[@]}""#;
        for (typed, offered) in
            [(&["keyrelay", "stat"][..], "status\n"), (&["keyrelay", "status", "--js"], "--json\n")]
        {
            let mut bash = Command::new("bash");
            bash.args(["-c", ask, "bash", &script(Shell::Bash)]).args(typed);
            let ran = bash.output().unwrap();
            assert_eq!(String::from_utf8_lossy(&ran.stdout), offered, "{typed:?}: {ran:?}");
        }
    }
}
