package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
)

var key = os.Getenv("LEAF7_API_KEY") // what the calls to the vendor use: read once, at the start

func prove(w http.ResponseWriter, r *http.Request) {
	mac := hmac.New(sha256.New, []byte(key))
	consumer, challenge := r.Header.Get("Keyrelay-Consumer"), r.Header.Get("Keyrelay-Challenge")
	fmt.Fprintf(mac, "keyrelay-proof-v1\n%s\n%s", consumer, challenge)
	fmt.Fprintf(w, `{"proof": "%x"}`, mac.Sum(nil))
}

func main() {
	http.HandleFunc("/keyrelay", prove)
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
