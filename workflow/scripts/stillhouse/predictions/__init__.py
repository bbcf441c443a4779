"""What models say of rows: probabilities, their calibration, and the decisions made from them."""
