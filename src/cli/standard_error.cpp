// Lines on stderr that never hold up the work: whoever reads them may have stopped reading (a full pipe, a terminal after Ctrl-S).
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>

#include "cli/output.hpp"
#include "text/printable_text.hpp"

namespace limrisk::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// For lines that somebody should read: long enough for a reader that is only slow.
constexpr milliseconds patience{2000};

class StandardError {
public:
    StandardError() {
        struct stat status {};
        if (::fstat(STDERR_FILENO, &status) != 0) return;
        file_ = S_ISREG(status.st_mode);
        socket_ = S_ISSOCK(status.st_mode);
        // O_NONBLOCK belongs to the open file, which other programs share; opened anew, it is this program's alone. Never closed.
        if (!file_ && !socket_) own_ = ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }

    /// As write(2), but -1 with EAGAIN instead of waiting.
    ssize_t write_some(std::string_view text) const {
        if (socket_) return ::send(STDERR_FILENO, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (own_ >= 0) return ::write(own_, text.data(), text.size());
        if (!file_ && !writable(milliseconds(0))) {
            errno = EAGAIN;
            return -1;
        }
        return ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    }

    bool writable(milliseconds timeout) const {
        pollfd entry{own_ >= 0 ? own_ : STDERR_FILENO, POLLOUT, 0};
        return ::poll(&entry, 1, static_cast<int>(timeout.count())) != 0;
    }

private:
    bool file_ = false, socket_ = false;
    int own_ = -1;
};

/// Drops what is left after `wait`. Once it waited in vain, it waits no more until somebody reads again.
void put(std::string_view text, milliseconds wait) {
    static const StandardError standard_error;
    static std::atomic<bool> nobody_reads{false};
    const Clock::time_point end = Clock::now() + (nobody_reads ? milliseconds(0) : wait);
    while (!text.empty()) {
        const ssize_t written = standard_error.write_some(text);
        if (written > 0) {
            nobody_reads = false;
            text.remove_prefix(static_cast<std::size_t>(written));
            continue;
        }
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return;
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
        if (left <= milliseconds(0)) {
            if (wait > milliseconds(0)) nobody_reads = true;
            return;
        }
        standard_error.writable(left);
    }
}

bool plain(char c) { return (c >= ' ' && c < 0x7F) || c == '\n' || c == '\t'; }

}  // namespace

void note(std::string_view text) {
    // Without memory for a copy where none is needed: "out of memory" is said here.
    if (std::all_of(text.begin(), text.end(), plain))
        put(text, patience);
    else
        put(printable_text(text, true), patience);
}

void note_progress(std::string_view text) { put(text, milliseconds(0)); }

}  // namespace limrisk::cli
