package server_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"engage/internal/localaws/server"
	"engage/internal/localaws/wire"
)

// Every call is observed once, from the wire and from inside, with its error.
func TestObserve(t *testing.T) {
	s, err := server.New(server.Config{Addr: "127.0.0.1:0", Dir: t.TempDir(), Services: services()})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	s.Observe(func(call *wire.Call, r server.Record, err error) {
		mu.Lock()
		defer mu.Unlock()
		origin := "inside"
		if call.HTTP != nil {
			origin = "wire"
		}
		if r.Time.IsZero() || (err != nil) != (r.Code != "") {
			t.Errorf("record %+v of error %v", r, err)
		}
		seen = append(seen, strings.TrimSpace(origin+" "+r.Action+" "+r.Code))
	})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{`{"Text":"hello"}`, `{}`} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL(), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "Echo.Say")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	if answer, err := http.Get(s.URL() + "/_localstack/health"); err != nil {
		t.Fatal(err)
	} else {
		answer.Body.Close()
	}
	for _, text := range []string{"hello", "panic"} {
		_, _ = s.Invoke(t.Context(), wire.Root(wire.DefaultAccount, wire.DefaultRegion), "echo", "Say", &echoInput{text})
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	const want = "wire Say,wire Say ValidationError,inside Say,inside Say InternalFailure"
	if got := strings.Join(seen, ","); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
