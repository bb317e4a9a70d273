package ecs

import (
	"math"
	"strconv"
	"strings"
)

// fargate is the memory in MiB that goes with each number of CPU units.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
var fargate = map[int]struct{ least, most, step int }{
	256:   {512, 2048, 0}, // 512, 1024 and 2048 only
	512:   {1024, 4096, 1024},
	1024:  {2048, 8192, 1024},
	2048:  {4096, 16384, 1024},
	4096:  {8192, 30720, 1024},
	8192:  {16384, 61440, 4096},
	16384: {32768, 122880, 8192},
}

// checkSize returns the CPU units and the MiB of a task, or AWS's refusal.
func checkSize(cpu, memory string) (units, mib int, err error) {
	if cpu == "" {
		return 0, 0, clientError("Fargate requires that 'cpu' be defined at the task level.")
	}
	if memory == "" {
		return 0, 0, clientError("Fargate requires that 'memory' be defined at the task level.")
	}
	units, okCPU := parseSize(cpu, "vcpu")
	mib, okMemory := parseSize(memory, "gb")
	if !okCPU {
		return 0, 0, clientError("Invalid setting for cpu: %s", cpu)
	}
	if !okMemory {
		return 0, 0, clientError("Invalid setting for memory: %s", memory)
	}
	f, known := fargate[units]
	fits := known && mib >= f.least && mib <= f.most
	if f.step == 0 {
		fits = fits && mib&(mib-1) == 0
	} else {
		fits = fits && (mib-f.least)%f.step == 0
	}
	if !fits {
		return 0, 0, clientError("No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.", units, mib)
	}
	return units, mib, nil
}

// parseSize reads "256" or, with a unit that is 1024 of these, "0.25 vCPU".
func parseSize(text, unit string) (int, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	if number, ok := strings.CutSuffix(text, unit); ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		n := f * 1024
		return int(n), err == nil && n == math.Trunc(n) && n > 0 && n < 1<<30
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n > 0
}
