package frame_test

import (
	"context"
	"fmt"

	"engage/internal/frame"
)

func ExamplePump() {
	square := func(_ context.Context, i int) (int, error) { return i * i, nil }
	show := func(i, item int) error { fmt.Println(i, item); return nil }
	if err := frame.Pump(context.Background(), 4, 3, square, show); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 0 0
	// 1 1
	// 2 4
}
