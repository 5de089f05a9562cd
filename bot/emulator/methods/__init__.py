"""The methods of the Bot API, a file a subject. Shapes and limits: Bot API 10.3."""
