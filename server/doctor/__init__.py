"""`letheward doctor`: what is wrong with a set-up, found without changing anything in it."""
