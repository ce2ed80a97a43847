# For those used to `just`; each recipe only calls ./zegel.

_list:
    @just --list

# A fresh installation with the sample households
demo *arguments:
    ./zegel demo {{arguments}}

# Run the server
serve *arguments:
    ./zegel serve {{arguments}}

# Act as a person
client *arguments:
    ./zegel client {{arguments}}

# All tests, fast ones first
test *arguments:
    ./zegel test {{arguments}}

# Format, lint, types, imports, generated files, links
check *steps:
    ./zegel check {{steps}}

# Benchmarks
bench *arguments:
    ./zegel bench {{arguments}}

# Resolve the dependencies anew
lock:
    ./zegel lock
