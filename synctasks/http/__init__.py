"""What others reach over HTTP: the callback for forecasts, and whether we are well."""
