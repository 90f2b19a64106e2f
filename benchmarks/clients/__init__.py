"""Programs that bring or send one object: `PROGRAM get|put ENDPOINT BUCKET KEY FILE`."""
