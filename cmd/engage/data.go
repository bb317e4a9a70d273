package main

import "github.com/spf13/cobra"

func newData(s streams) *cobra.Command {
	data := &cobra.Command{
		Use:                        "data",
		Short:                      "Generate, describe and validate data sets",
		Args:                       cobra.ArbitraryArgs, // needsCommand refuses them
		RunE:                       needsCommand,
		SuggestionsMinimumDistance: 2,
	}
	data.AddCommand(newGenerate(s), newDescribe(s), newValidate(s))
	return data
}
