#!/bin/bash
# HMAC-SHA256 with what every system has. The key is in no argument list: only words of bash itself see it.
set -eu
hex() { od -An -v -tx1 | tr -d ' \n'; }
sha256() { basenc -d --base16 | sha256sum | cut -c1-64 | tr a-f A-F; }
xor() { for ((i = 0; i < 128; i += 2)); do printf %02X $((0x${key:i:2} ^ $1)); done; }
key=$(hex <"$1" | tr a-f A-F)
if ((${#key} > 128)); then key=$(printf %s "$key" | sha256); fi
printf -v key '%-128s' "$key" && key=${key// /0}
text=$(printf 'keyrelay-proof-v1\n%s\n%s' "$KEYRELAY_CONSUMER" "$KEYRELAY_CHALLENGE" | hex | tr a-f A-F)
inner=$(printf %s "$(xor 0x36)$text" | sha256)
proof=$(printf %s "$(xor 0x5C)$inner" | sha256 | tr A-F a-f)
printf '{"proof": "%s"}\n' "$proof"
