interface Item {
  id: string
}

class ItemService {
  private readonly items: Map<string, Item> = new Map([['1', { id: '1' }]])

  find(id: string): Item | undefined {
    return this.items.get(id)
  }
}

export const itemService = new ItemService()
