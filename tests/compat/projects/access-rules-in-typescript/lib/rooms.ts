export const isMember = ({ rooms }: { rooms: string[] }, room: string) => rooms.includes(room);
