"""What is measured on the weights, beyond what a model predicts and says."""
