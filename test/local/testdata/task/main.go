// Command task is a container's program that does what its first argument
// says, and tells what it finds.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	argument := ""
	if len(os.Args) > 2 {
		argument = os.Args[2]
	}
	switch os.Args[1] {
	case "exit":
		code, _ := strconv.Atoi(argument) // nothing is 0
		os.Exit(code)
	case "env":
		fmt.Println(os.Getenv(argument))
	case "write":
		fmt.Println("uid", os.Getuid(), "write", os.WriteFile(argument, []byte("x"), 0o600))
	case "ask":
		fmt.Println(strings.Join([]string{task(), credentials()}, " "))
	case "grow":
		var all [][]byte
		for range 2000 {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			all = append(all, b)
			time.Sleep(time.Millisecond)
		}
		fmt.Println(len(all))
	case "term": // ends when it is asked to
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		fmt.Println("ready")
		<-asked
		fmt.Println("asked to stop")
		os.Exit(7)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	}
}

// task asks the metadata endpoint what runs.
func task() string {
	var answer struct{ TaskARN, Family string }
	get(os.Getenv("ECS_CONTAINER_METADATA_URI_V4")+"/task", &answer)
	return answer.TaskARN + " " + answer.Family
}

// credentials asks for the role's.
func credentials() string {
	var answer struct{ RoleArn, AccessKeyId string }
	get(os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"), &answer)
	return answer.RoleArn + " " + answer.AccessKeyId
}

func get(url string, answer any) {
	r, err := http.Get(url)
	if err == nil {
		defer r.Body.Close()
		err = json.NewDecoder(r.Body).Decode(answer)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
