// A function that misbehaves in the way that its handler's name says, for tests.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

var api = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"

func post(path, body string) int {
	r, err := http.Post(api+path, "application/json", strings.NewReader(body))
	if err != nil {
		return 0
	}
	r.Body.Close()
	return r.StatusCode
}

func next() string {
	r, err := http.Get(api + "invocation/next")
	if err != nil {
		os.Exit(9)
	}
	io.Copy(io.Discard, r.Body)
	r.Body.Close()
	return "invocation/" + r.Header.Get("Lambda-Runtime-Aws-Request-Id") + "/response"
}

func child() int {
	c := exec.Command("/proc/self/exe", "child")
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // out of the process group
	if err := c.Start(); err != nil {
		panic(err)
	}
	return c.Process.Pid
}

func main() {
	if len(os.Args) > 1 {
		time.Sleep(time.Hour)
	}
	mode := os.Getenv("_HANDLER")
	switch mode {
	case "initexit":
		fmt.Println("about to exit")
		os.Exit(3)
	case "initerror":
		post("init/error", `{"errorType":"Extension.Oops","errorMessage":"no database"}`)
		os.Exit(1)
	case "inithang":
		time.Sleep(time.Hour)
	}
	for {
		reply := next()
		switch mode {
		case "hang":
			fmt.Println("hanging")
			time.Sleep(time.Hour)
		case "exit1":
			os.Exit(1)
		case "exit0":
			os.Exit(0)
		case "panic":
			panic("on purpose")
		case "fork":
			post(reply, fmt.Sprint(child()))
			continue
		case "lastwords":
			post(reply, `"answered"`)
			time.Sleep(60 * time.Millisecond) // longer than an answer waits for it
			fmt.Println("last words")
			continue
		case "flood":
			line := bytes.Repeat([]byte("x"), 1<<20-1)
			line = append(line, '\n')
			for range 100 {
				os.Stdout.Write(line)
			}
		case "big":
			if status := post(reply, `"`+strings.Repeat("x", 7<<20)+`"`); status != 413 {
				fmt.Println("status", status)
			}
			continue
		case "memory":
			var all [][]byte
			for range 400 {
				b := make([]byte, 1<<20)
				for i := range b {
					b[i] = 1
				}
				all = append(all, b)
				time.Sleep(time.Millisecond)
			}
			fmt.Println(len(all))
		case "hangafter":
			post(reply, `"answered"`)
			time.Sleep(time.Hour)
		}
		post(reply, `"done"`)
	}
}
