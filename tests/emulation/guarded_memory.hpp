// Memory of an emulated device, or of the host for its copies: poisoned, fenced, counted, and shut while nobody may touch it.
#pragma once
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace limrisk::test {

class GuardedMemory {
public:
    /// `owner`: for messages, "device 0". `shut`: only those who hold an Access can touch it.
    GuardedMemory(std::string owner, std::size_t limit_bytes, bool shut);
    ~GuardedMemory();
    GuardedMemory(const GuardedMemory&) = delete;
    GuardedMemory& operator=(const GuardedMemory&) = delete;

    /// Null if more than the limit would be in use. The end lies before a guard page, aligned to 16 bytes.
    void* allocate(std::size_t bytes);
    /// Ends the program for what was not allocated here, and if the bytes around it were written to.
    void release(void* memory);

    /// All of [memory, memory + bytes) lies in one allocation.
    bool contains(const void* memory, std::size_t bytes) const;
    /// Any of it lies in an allocation.
    bool touches(const void* memory, std::size_t bytes) const;

    std::size_t allocations() const;
    std::size_t used_bytes() const;
    std::size_t peak_bytes() const;
    std::size_t free_bytes() const;

    /// As long as one of these lives, the memory is open.
    class Access {
    public:
        explicit Access(GuardedMemory& memory) : memory_(memory) { memory_.open(); }
        ~Access() { memory_.close(); }
        Access(const Access&) = delete;
        Access& operator=(const Access&) = delete;

    private:
        GuardedMemory& memory_;
    };

private:
    struct Allocation {
        char* mapping;  // whole pages, the guard page after them
        std::size_t mapped_bytes, bytes, place;
    };

    void open();
    void close();
    void protect(const Allocation& allocation, bool opened) const;

    const std::string owner_;
    const std::size_t limit_bytes_;
    const bool shut_;
    mutable std::mutex mutex_;  // guards all below
    std::map<const char*, Allocation> allocations_;
    std::size_t used_bytes_ = 0, peak_bytes_ = 0;
    int accesses_ = 0;
};

}  // namespace limrisk::test
