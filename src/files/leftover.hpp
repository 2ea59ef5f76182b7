// Names of files that must go when the program is ended by a signal.
#pragma once
#include <filesystem>

namespace limrisk {

/// While it lives, SIGINT, SIGTERM, SIGHUP and SIGQUIT remove the file or the empty folder of this name, where they end the program. Made
/// in the order of removal. The destructor removes nothing. Names beyond the eight that there is room for are not watched.
class Leftover {
public:
    explicit Leftover(const std::filesystem::path& path);
    Leftover(const Leftover&) = delete;
    Leftover& operator=(const Leftover&) = delete;
    ~Leftover();

private:
    int slot_ = -1;
};

}  // namespace limrisk
