// One mapping per allocation, and a handler that says in whose memory a forbidden access was.
#include "guarded_memory.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace limrisk::test {
namespace {

constexpr unsigned char poison = 0xFF, fence = 0xA5;

std::size_t page_bytes() {
    static const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return bytes;
}

std::size_t rounded_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

/// What the signal handler can read without locks: the allocations that are alive, and the last ones that were released.
struct Place {
    std::atomic<std::uintptr_t> begin{0};
    std::atomic<std::size_t> bytes{0};
    std::atomic<bool> alive{false};
    std::atomic<std::uint64_t> number{0};  // ascending
    char owner[32] = "";
};
constexpr std::size_t place_count = 4096;
Place places[place_count];

std::size_t register_place(const void* begin, std::size_t bytes, const std::string& owner) {
    static std::mutex mutex;
    static std::size_t next = 0;
    static std::uint64_t number = 0;
    const std::lock_guard lock(mutex);
    for (std::size_t tried = 0; tried < place_count; ++tried) {
        Place& place = places[next];
        if (!place.alive) {
            std::snprintf(place.owner, sizeof place.owner, "%s", owner.c_str());
            place.bytes = bytes;
            place.begin = reinterpret_cast<std::uintptr_t>(begin);
            place.number = ++number;
            place.alive = true;
            return std::exchange(next, (next + 1) % place_count);
        }
        next = (next + 1) % place_count;
    }
    return place_count;
}

/// The youngest allocation that the address is in or, with a page to either side, belongs to. The living ones go first.
const Place* place_of(std::uintptr_t address) {
    const Place* found = nullptr;
    for (const Place& place : places) {
        const std::uintptr_t begin = place.begin;
        if (begin == 0 || address + page_bytes() < begin || address >= begin + place.bytes + page_bytes()) continue;
        if (!found || std::pair(place.alive.load(), place.number.load()) > std::pair(found->alive.load(), found->number.load()))
            found = &place;
    }
    return found;
}

void explain_and_die(int signal, siginfo_t* happening, void*) {
    const auto address = reinterpret_cast<std::uintptr_t>(happening->si_addr);
    if (const Place* place = place_of(address)) {
        const std::uintptr_t begin = place->begin;
        const std::size_t bytes = place->bytes;
        char text[256];
        const char* what = !place->alive              ? "was released"
                           : address >= begin + bytes ? "ends before that address"
                           : address < begin          ? "begins after that address"
                                                      : "may be touched only by copies and kernels of the device";
        const int length =
            std::snprintf(text, sizeof text, "emulated memory: access at offset %td of an allocation of %zu bytes of %s, which %s\n",
                          static_cast<std::ptrdiff_t>(address - begin), bytes, place->owner, what);
        [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, static_cast<std::size_t>(length));
    }
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);  // the access is tried again and kills the process
}

void install_handler() {
    static const bool installed = [] {
        struct sigaction action {};
        action.sa_sigaction = explain_and_die;
        action.sa_flags = SA_SIGINFO;
        return sigaction(SIGSEGV, &action, nullptr) == 0;
    }();
    (void)installed;
}

[[noreturn]] void die(const std::string& why) {
    std::fprintf(stderr, "emulated memory: %s\n", why.c_str());
    std::abort();
}

}  // namespace

GuardedMemory::GuardedMemory(std::string owner, std::size_t limit_bytes, bool shut)
    : owner_(std::move(owner)), limit_bytes_(limit_bytes), shut_(shut) {
    install_handler();
}

GuardedMemory::~GuardedMemory() {
    while (!allocations_.empty()) release(const_cast<char*>(allocations_.begin()->first));
}

void* GuardedMemory::allocate(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::size_t counted = rounded_up(std::max<std::size_t>(bytes, 1), 512);
    if (counted < bytes || counted > limit_bytes_ - used_bytes_) return nullptr;
    const std::size_t mapped = rounded_up(std::max<std::size_t>(bytes, 1), page_bytes());
    void* mapping = mmap(nullptr, mapped + page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) return nullptr;
    Allocation allocation{static_cast<char*>(mapping), mapped, bytes, 0};
    mprotect(allocation.mapping + mapped, page_bytes(), PROT_NONE);
    char* begin = allocation.mapping + (mapped - rounded_up(bytes, 16));
    std::memset(allocation.mapping, fence, mapped);
    std::memset(begin, poison, bytes);
    allocation.place = register_place(begin, bytes, owner_);
    protect(allocation, accesses_ > 0);
    allocations_.emplace(begin, allocation);
    used_bytes_ += counted;
    peak_bytes_ = std::max(peak_bytes_, used_bytes_);
    return begin;
}

void GuardedMemory::release(void* memory) {
    const std::lock_guard lock(mutex_);
    const auto found = allocations_.find(static_cast<char*>(memory));
    if (found == allocations_.end()) die(fmt::format("{} is asked to release memory that is not allocated there", owner_));
    const Allocation allocation = found->second;
    mprotect(allocation.mapping, allocation.mapped_bytes, PROT_READ);
    const auto untouched = [](const char* from, const char* to) {
        return std::all_of(from, to, [](char byte) { return static_cast<unsigned char>(byte) == fence; });
    };
    const char* begin = found->first;
    if (!untouched(allocation.mapping, begin) || !untouched(begin + allocation.bytes, allocation.mapping + allocation.mapped_bytes))
        die(fmt::format("an allocation of {} bytes of {} was overrun at its {}", allocation.bytes, owner_,
                        untouched(allocation.mapping, begin) ? "end" : "beginning"));
    if (allocation.place < place_count) places[allocation.place].alive = false;
    munmap(allocation.mapping, allocation.mapped_bytes + page_bytes());
    used_bytes_ -= rounded_up(std::max<std::size_t>(allocation.bytes, 1), 512);
    allocations_.erase(found);
}

bool GuardedMemory::contains(const void* memory, std::size_t bytes) const {
    const std::lock_guard lock(mutex_);
    const auto* begin = static_cast<const char*>(memory);
    const auto after = allocations_.upper_bound(begin);
    if (after == allocations_.begin()) return false;
    const auto& [first, allocation] = *std::prev(after);
    const auto offset = static_cast<std::size_t>(begin - first);
    return offset <= allocation.bytes && bytes <= allocation.bytes - offset;
}

bool GuardedMemory::touches(const void* memory, std::size_t bytes) const {
    const std::lock_guard lock(mutex_);
    const auto* begin = static_cast<const char*>(memory);
    const auto after = allocations_.upper_bound(begin);
    if (after != allocations_.end() && after->first < begin + bytes) return true;
    return after != allocations_.begin() && begin < std::prev(after)->first + std::prev(after)->second.bytes;
}

std::size_t GuardedMemory::allocations() const {
    const std::lock_guard lock(mutex_);
    return allocations_.size();
}

std::size_t GuardedMemory::used_bytes() const {
    const std::lock_guard lock(mutex_);
    return used_bytes_;
}

std::size_t GuardedMemory::peak_bytes() const {
    const std::lock_guard lock(mutex_);
    return peak_bytes_;
}

std::size_t GuardedMemory::free_bytes() const { return limit_bytes_ - used_bytes(); }

void GuardedMemory::open() {
    const std::lock_guard lock(mutex_);
    if (accesses_++ > 0) return;
    for (const auto& [begin, allocation] : allocations_) protect(allocation, true);
}

void GuardedMemory::close() {
    const std::lock_guard lock(mutex_);
    if (--accesses_ > 0) return;
    for (const auto& [begin, allocation] : allocations_) protect(allocation, false);
}

void GuardedMemory::protect(const Allocation& allocation, bool opened) const {
    if (shut_) mprotect(allocation.mapping, allocation.mapped_bytes, opened ? PROT_READ | PROT_WRITE : PROT_NONE);
}

}  // namespace limrisk::test
