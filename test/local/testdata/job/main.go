// Command job prints its second argument and ends with the code that is its first.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	code, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println(os.Args[2])
	os.Exit(code)
}
