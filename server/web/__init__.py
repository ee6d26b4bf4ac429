"""The operator's page, and the routes of the admin API that it needs beside those that scripts use."""
