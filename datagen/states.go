package datagen

// states weighs the entries of schema.States by resident population, in
// thousands (US Census Bureau, 2020 census, apportionment table 2).
var states = shares(
	5024, 733, 7152, 3012, 39538, 5774, 3606, 990, 21538, 10712,
	1455, 1839, 12813, 6786, 3190, 2938, 4506, 4658, 1362, 6177,
	7030, 10077, 5706, 2961, 6155, 1084, 1962, 3105, 1378, 9289,
	2118, 20201, 10439, 779, 11799, 3959, 4237, 13003, 1097, 5118,
	887, 6911, 29146, 3272, 643, 8631, 7705, 1794, 5894, 577,
)
