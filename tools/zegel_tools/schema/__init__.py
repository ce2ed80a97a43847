"""What is generated from the typed messages: the JSON Schema that other languages start from, and the API page."""
