"""The built page: play.js, play.css and play.html (page/ holds their source)."""
