// See write_all.hpp.
#include "files/write_all.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace limrisk {

int write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) return errno;
            // Another program made the terminal or pipe that it shares with this one non-blocking.
            pollfd entry{descriptor, POLLOUT, 0};
            ::poll(&entry, 1, -1);
            continue;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

}  // namespace limrisk
