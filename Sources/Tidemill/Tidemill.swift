// Tidemill
