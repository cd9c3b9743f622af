print("tidemill")
