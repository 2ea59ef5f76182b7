// The handler touches lock-free flags and fixed arrays only.
#include "files/leftover.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>
#include <csignal>
#include <cstring>
#include <string>

namespace limrisk {
namespace {

constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

struct Slot {
    std::atomic<bool> taken{false}, there{false};
    std::array<char, PATH_MAX> name{};
};
std::array<Slot, 8> slots;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void remove_leftovers(int number) {
    for (Slot& slot : slots)
        if (slot.there && unlink(slot.name.data()) != 0) rmdir(slot.name.data());
    std::signal(number, SIG_DFL);
    raise(number);
}

/// Takes over the signals that would end the program; who handles or ignores them gets to the destructors.
void watch_signals() {
    for (const int number : ending_signals) {
        struct sigaction now {};
        if (sigaction(number, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
        struct sigaction ours {};
        ours.sa_handler = remove_leftovers;
        sigemptyset(&ours.sa_mask);
        sigaction(number, &ours, nullptr);
    }
}

}  // namespace

Leftover::Leftover(const std::filesystem::path& path) {
    const std::string name = std::filesystem::absolute(path).string();
    for (std::size_t k = 0; k < slots.size() && name.size() < slots[k].name.size(); ++k) {
        if (slots[k].taken.exchange(true)) continue;
        std::memcpy(slots[k].name.data(), name.c_str(), name.size() + 1);
        slots[k].there = true;
        slot_ = static_cast<int>(k);
        watch_signals();
        return;
    }
}

Leftover::~Leftover() {
    if (slot_ < 0) return;
    Slot& slot = slots[static_cast<std::size_t>(slot_)];
    slot.there = false;
    slot.taken = false;
}

}  // namespace limrisk
