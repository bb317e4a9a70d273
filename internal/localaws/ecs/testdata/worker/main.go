// Command worker is what the tests run in images.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	switch os.Args[1] {
	case "exit":
		code, _ := strconv.Atoi(os.Args[2])
		fmt.Println("leaving with", code)
		os.Exit(code)
	case "env":
		json.NewEncoder(os.Stdout).Encode(map[string]any{"Env": os.Environ(), "Args": os.Args, "UID": os.Getuid(), "Dir": dir(), "Root": names("/"), "Write": write("/out")})
	case "sleep":
		fmt.Println("sleeping")
		time.Sleep(time.Hour)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("sleeping")
		time.Sleep(time.Hour)
	case "graceful":
		ch := make(chan os.Signal, 1)
		signal.Notify(ch, syscall.SIGTERM)
		fmt.Println("sleeping")
		<-ch
		fmt.Println("asked to stop")
		os.Exit(7)
	case "fork", "forkwait":
		cmd := exec.Command(os.Args[0], "sleep")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("forked")
		if os.Args[1] == "forkwait" {
			time.Sleep(time.Hour)
		}
	case "eat":
		var kept [][]byte
		for {
			b := make([]byte, 16<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			kept = append(kept, b)
			_ = kept
		}
	case "get":
		for _, name := range os.Args[2:] {
			env, path, _ := strings.Cut(name, "/")
			resp, err := http.Get(os.Getenv(env) + strings.TrimSuffix("/"+path, "/"))
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			b, _ := io.ReadAll(resp.Body)
			fmt.Println(name, resp.StatusCode, string(b))
		}
	case "share":
		fmt.Println(write("/data/f"), names("/data"))
	case "spam":
		line := strings.Repeat("x", 1000)
		for range 20000 {
			fmt.Println(line)
		}
	}
}

func dir() string { d, _ := os.Getwd(); return d }

func names(path string) (all []string) {
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func write(path string) string {
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		return err.Error()
	}
	return "written"
}
